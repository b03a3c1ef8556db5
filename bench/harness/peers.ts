import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Peer } from "./peer.ts";

const BENCH = new URL("../", import.meta.url);
/** Environment variable that tells child processes which module has which peer. */
const MODULES = "BENCH_PEER_MODULES";

/** Modules with `export const peers: Peer[]`. `peers/` needs the packages of bench/package.json. */
const LOCAL = modules("local/");
const INSTALLED = modules("peers/");

function modules(folder: string): string[] {
  return readdirSync(new URL(folder, BENCH))
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => new URL(`${folder}${name}`, BENCH).href);
}

/** Whether the packages of bench/package.json are there. */
export function peersInstalled(): boolean {
  return existsSync(fileURLToPath(new URL("node_modules/.package-lock.json", BENCH)));
}

/** The peers of this repository's own packages, its dependencies and the platform. */
export function localPeers(): Promise<Peer[]> {
  return load(LOCAL);
}

/** Every peer; those of packages that are not installed only where they are. */
export async function allPeers(): Promise<Peer[]> {
  return [...(await load(LOCAL)), ...(peersInstalled() ? await load(INSTALLED) : [])];
}

/**
 * Loads the module of that peer alone: loading all takes longer than many a measurement.
 *
 * @throws when there is no such peer
 */
export async function peerById(id: string): Promise<Peer> {
  const known = JSON.parse(process.env[MODULES] ?? "{}") as Record<string, string>;
  const module = known[id];
  const peers = module === undefined ? await allPeers() : await load([module]);
  const peer = peers.find((candidate) => candidate.id === id);
  if (peer === undefined) throw new Error(`there is no peer "${id}"`);
  return peer;
}

/** A name stands for a peer and its variants: "alkdev" also for "alkdev-full". */
export function isNamed(id: string, names: readonly string[]): boolean {
  return names.some((name) => id === name || id.startsWith(`${name}-`));
}

/** All where `names` is absent. */
export function select(peers: readonly Peer[], names: readonly string[] | undefined): Peer[] {
  if (names === undefined) return [...peers];
  return peers.filter(({ id }) => isNamed(id, names));
}

async function load(urls: readonly string[]): Promise<Peer[]> {
  const known = JSON.parse(process.env[MODULES] ?? "{}") as Record<string, string>;
  const loaded = await Promise.all(
    urls.map(async (url) => {
      const { peers } = (await import(url)) as { peers: readonly Peer[] };
      for (const { id } of peers) known[id] = url;
      return peers;
    }),
  );
  process.env[MODULES] = JSON.stringify(known);
  return loaded.flat();
}
