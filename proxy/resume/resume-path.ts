import { RESUME } from '../request/return-target.ts'

/** Where a person comes back to when she is through: from there a kept request goes on. */
export function resumePath(id: string): string {
  return `${RESUME}?id=${id}`
}
