/** Whether a text is an event type, `session.ended`, the begin of several, `session.*`, or `*`. */
export function isEventPattern(pattern: unknown): pattern is string {
  return typeof pattern === "string" && /^(\*|[^*:\s]+\*?)$/.test(pattern);
}

/** Whether a topic is of the event types that a pattern names. */
export function fitsEventPattern(pattern: string, topic: string): boolean {
  if (pattern.endsWith("*")) return topic.startsWith(pattern.slice(0, -1));
  return topic === pattern || topic.startsWith(`${pattern}:`);
}
