#!/usr/bin/env node
import { runCli } from "./run-cli.ts";
import { endOnBrokenPipe } from "./stop-signals.ts";

endOnBrokenPipe();
process.exitCode = await runCli(process.argv.slice(2));
