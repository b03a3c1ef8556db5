/** Route of calls from a hub to a spoke; the other direction has the empty one. */
export const SPOKE_ROUTE = "spoke";

/** Id of the operation by which a spoke tells its hub what it serves. */
export const REGISTER_SPOKE = "spokes.register";
