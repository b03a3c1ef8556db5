/** Path of the WebSocket. */
export const SOCKET_PATH = "/ws";

/** Name of the organisation in requests. */
export const ORG_HEADER = "alkdev-org";

/** The WebSocket subprotocol of the hub. */
export const SUBPROTOCOL = "alkdev.v1";

/** WebSocket close code of a session that ended: 4000 to 4999 are for applications. */
export const SESSION_ENDED = 4_401;

/** WebSocket close code of a connection whose spoke has made another one. */
export const SUPERSEDED = 4_409;
