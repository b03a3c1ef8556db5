import type { Database, LockInfo } from "@alkdev/honker";
import { HubError } from "../../errors.ts";
import { openPlace, type PlaceOptions, withPlace } from "../places/place.ts";
import type { DataRun, DefineCommand } from "../shell.ts";

/** `alkdev lock` */
export const defineLock: DefineCommand = (lock, shell) => {
  withPlace(lock.command("list"))
    .description("list the locks that are held now")
    .action(shell.action<PlaceOptions>(list));
  withPlace(lock.command("release <lock>"))
    .description("take a lock away from its holder, which finds out at its next heartbeat")
    .action(shell.action<PlaceOptions, [string]>(release));
};

function list({ data, out }: DataRun, options: PlaceOptions): void {
  using place = openPlace(data, options);
  const locks = place.db.locks();
  out.result({ locks }, () =>
    out.table(
      locks,
      [
        { header: "lock", value: ({ name }) => name, shrinks: true },
        { header: "owner", value: ({ owner }) => owner, shrinks: true },
        { header: "token", value: ({ token }) => token, align: "right" },
        { header: "until", value: ({ expiresAt }) => expiresAt },
      ],
      `No lock of ${place.name} is held.`,
    ),
  );
}

async function release(run: DataRun, options: PlaceOptions, name: string): Promise<void> {
  using place = openPlace(run.data, options);
  const { db } = place;
  const held = requireHeld(db, name);
  await run.confirm({ what: `${held.owner} loses the lock ${name}`, word: name });
  const released = takeAway(db, held);
  run.out.result({ lock: name, owner: held.owner, token: held.token, released }, () =>
    released ? `The lock ${name} is free.` : `${held.owner} had let go of ${name} already.`,
  );
}

function requireHeld(db: Database, name: string): LockInfo {
  const held = db.lock(name);
  if (held !== null) return held;
  throw new HubError("NOT_FOUND", `nobody holds the lock "${name}"`, { details: { lock: name } });
}

/** Nobody but the holder that was shown: another may have it by now. */
function takeAway(db: Database, { name, owner, token }: LockInfo): boolean {
  return db.transaction(() => {
    if (db.lock(name)?.token !== token) return false;
    // under the owner's name the lock can be taken over, and then given back
    db.tryLock(name, owner, 60)?.release();
    return true;
  });
}
