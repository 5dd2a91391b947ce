/**
 * oidc-provider without its warning at import, which it prints where `process.release.lts` is
 * missing, as in the builds of Node that npm delivers. Everything else that it has to say stays.
 */
export const { Provider, errors, interactionPolicy } = await importQuietly()

async function importQuietly() {
  const said = globalThis.console
  const { warn } = said
  said.warn = (...parts: unknown[]) => {
    if (!String(parts[0]).includes('oidc-provider WARNING: Unsupported runtime')) warn(...parts)
  }
  try {
    return await import('oidc-provider')
  } finally {
    said.warn = warn
  }
}
