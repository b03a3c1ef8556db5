/** Whether a topic belongs to the call protocol: then it is an affair of one connection and the hub. */
export function isCallTopic(topic: string): boolean {
  return topic.startsWith("call.");
}
