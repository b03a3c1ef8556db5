/** Bytes per call of `String.fromCharCode`, whose arguments go on the stack. */
const CHUNK = 0x8000;

/** Bytes as base64 (RFC 4648 §4, padded). */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(i, i + CHUNK));
  }
  return btoa(text);
}

/**
 * The bytes, or null where the text is not the one base64 form they have: other alphabets, missing
 * padding and stray bits would let a changed text pass for the same bytes.
 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  let decoded: string;
  try {
    decoded = atob(text);
  } catch {
    return null;
  }
  if (btoa(decoded) !== text) return null;
  const bytes = new Uint8Array(decoded.length);
  for (let i = 0; i < decoded.length; i += 1) bytes[i] = decoded.charCodeAt(i);
  return bytes;
}
