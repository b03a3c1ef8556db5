// An authenticator on the file given as argument: { authenticate } or { verify } or { revoke } per message,
// answered by what it said, once it is committed.
import { open } from "@alkdev/honker";
import {
  type ChallengeAnswer,
  createAuthenticator,
  createSystemDatabase,
  revokeApiKey,
} from "@alkdev/storage/sqlite";

/** What the child can be told. */
export type AuthMessage =
  | { readonly authenticate: string }
  | { readonly verify: ChallengeAnswer }
  | { readonly revoke: string };

const system = createSystemDatabase(open(process.argv[2] as string));
const auth = createAuthenticator(system);
process.on("message", (message: AuthMessage) => {
  if ("revoke" in message) process.send?.(revokeApiKey(system, message.revoke));
  else if ("verify" in message) process.send?.(auth.verifyChallenge(message.verify).ok);
  else process.send?.(auth.authenticate(message.authenticate).ok);
});
process.send?.("ready");
