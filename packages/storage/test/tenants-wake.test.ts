import { fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { eventually } from "@alkdev/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { tenantsSetup } from "./tenants-setup.ts";

const TENANTS = 100;

/** What this process uses to be woken: its threads, and its watches on files and folders. */
function watching(): { readonly threads: number; readonly watches: number } {
  const watches = readdirSync("/proc/self/fd").reduce((sum, fd) => {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) !== "anon_inode:inotify") return sum;
      return sum + readFileSync(`/proc/self/fdinfo/${fd}`, "utf8").split("inotify wd:").length - 1;
    } catch {
      return sum;
    }
  }, 0);
  return { threads: readdirSync("/proc/self/task").length, watches };
}

describe.skipIf(process.platform !== "linux")("one watch for all tenants (M33)", () => {
  test("a hundred open tenants with a listener each cost what one costs", async () => {
    const ids = Array.from({ length: TENANTS }, (_, i) => `org-${i}`);
    const { manager, folder } = tenantsSetup(ids);
    const tenants = manager();
    for (const id of ids) tenants.create(id);
    const received = new Set<string>();
    const listen = (id: string): void => {
      const { db } = tenants.open(id);
      const heard = db.$client.listen("hello");
      void (async () => {
        for await (const _ of heard) received.add(id);
      })();
    };
    listen("org-0");
    const one = watching();
    for (const id of ids.slice(1)) listen(id);
    expect(tenants.openFiles).toEqual({ open: TENANTS, idle: 0 });
    expect(watching()).toEqual(one);

    const child = fork(new URL("./children/notify-tenants.ts", import.meta.url), [folder, ...ids], {
      execArgv: ["--conditions=@alkdev/source"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    expect((await once(child, "exit"))[0]).toBe(0);
    await eventually("every tenant is woken by another process", () => received.size === TENANTS);
  });
});
