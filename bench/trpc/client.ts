// tRPC's client over one WebSocket.
import { createTRPCClient, createWSClient, wsLink } from "@trpc/client";
import { WebSocket } from "ws";

export interface TrpcNotes {
  add(text: string): Promise<number>;
  get(id: number): Promise<unknown>;
}

export function connectTrpc({ url, key }: { url: string; key: string }): TrpcNotes {
  class Socket extends WebSocket {
    constructor(to: string) {
      super(to, { headers: { authorization: `Bearer ${key}` } });
    }
  }
  const client = createWSClient({ url: url.replace("http", "ws"), WebSocket: Socket as never });
  // biome-ignore lint/suspicious/noExplicitAny: the router lives in the other process
  const trpc = createTRPCClient<any>({ links: [wsLink({ client })] }) as any;
  return {
    add: async (text) => (await trpc.add.mutate({ text })).id,
    get: (id) => trpc.get.query({ id }),
  };
}
