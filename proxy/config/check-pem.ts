import { type Files, unreadable } from './files.ts'

/** Says what is wrong with a PEM file, or nothing; what it holds is never part of the message. */
export function problemOfPem(
  path: string,
  files: Files,
  holds: RegExp,
  what: string,
): string | undefined {
  try {
    const text = files.read(path)
    if (/-----BEGIN ENCRYPTED PRIVATE KEY|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
      return `is unusable: the key in ${JSON.stringify(path)} has a passphrase`
    }
    return holds.test(text) ? undefined : `holds no ${what} in PEM form: ${JSON.stringify(path)}`
  } catch (error) {
    return `is unusable: ${unreadable(path, error)}`
  }
}
