import type { ConfigProblem } from './problem.ts'

/** Exit code for a configuration that can't be used: EX_CONFIG of sysexits.h. */
export const EXIT_CONFIG = 78

/** The text for an operator: a block for each problem, and how many there are. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const count = `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`
  return [
    "stepgate can't start with this configuration:",
    ...problems.map(formatProblem),
    `${count} found. Every variable is described in README.md, under Configuration.`,
  ]
    .join('\n\n')
    .concat('\n')
}

function formatProblem({ variable, problem, example }: ConfigProblem): string {
  const sentence = `  ${variable} ${problem}`
  return example === undefined ? sentence : `${sentence}\n      e.g. ${variable}=${example}`
}
