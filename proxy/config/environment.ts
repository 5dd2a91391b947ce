/** The process's environment, copied; the one place that reads `process.env`. */
export function readEnvironment(): Record<string, string | undefined> {
  return { ...process.env }
}
