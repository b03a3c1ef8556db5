/** Route of calls from a hub to a spoke; the other direction has the empty one. */
export const SPOKE_ROUTE = "spoke";

/** Id of the operation by which a spoke tells its hub what it serves. */
export const REGISTER_SPOKE = "spokes.register";

/** What names of spokes look like: they are parts of consumer names. */
export const SPOKE_NAME = "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$";
