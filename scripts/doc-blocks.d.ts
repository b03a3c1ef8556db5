/** Names that blocks of the documentation use without declaring them. */
declare const db: import("@alkdev/honker").Database;
