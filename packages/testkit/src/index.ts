export { FakeClock } from "./fake-clock.ts";
export { tempDatabase, tempFolder } from "./temp-database.ts";
export { eventually } from "./eventually.ts";
