import { HubError } from "../errors.ts";
import type { SshIdentity } from "./ssh-identity.ts";

/** Which hub, and who one is there. Give `key` or `ssh`. */
export interface HubAddress {
  /** Where the hub listens, `http://127.0.0.1:4300` or `https://…`, with the path it is served under. */
  readonly hub: string;
  /** API key; a function is asked before each connection, for keys that are rotated. */
  readonly key?: string | (() => string | Promise<string>);
  /** SSH key, in place of an API key. */
  readonly ssh?: SshIdentity;
  /** Id or slug of the organisation. Default: the only one of the account. */
  readonly org?: string;
}

/** The addresses of a hub. */
export interface HubUrls {
  /** Of the WebSocket. */
  readonly socket: string;
  /** Where challenges for SSH keys come from. */
  readonly challenge: string;
}

/** Checks where a hub is. @throws HubError `INVALID_ARGUMENT` */
export function hubUrls({ hub, key, ssh }: HubAddress): HubUrls {
  if ((key === undefined) === (ssh === undefined)) {
    throw new HubError("INVALID_ARGUMENT", "give either key or ssh, to say who you are");
  }
  const base = URL.canParse(hub) ? new URL(hub) : null;
  if (base === null || (base.protocol !== "http:" && base.protocol !== "https:")) {
    throw new HubError("INVALID_ARGUMENT", `the hub is ${JSON.stringify(hub)}, which is no URL`, {
      hint: "Give a URL such as http://127.0.0.1:4300",
    });
  }
  const at = base.href.endsWith("/") ? base.href : `${base.href}/`;
  const socket = new URL("ws", at);
  socket.protocol = base.protocol === "http:" ? "ws:" : "wss:";
  return { socket: socket.href, challenge: new URL("auth/challenge", at).href };
}
