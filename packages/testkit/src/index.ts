export { eventually } from "./eventually.ts";
export { FakeClock } from "./fake-clock.ts";
export { killSteps } from "./kill-steps.ts";
export { engineModes, tempDatabase, tempFolder } from "./temp-database.ts";
