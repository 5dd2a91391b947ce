import type { Client, Page } from './cookie-jar.ts'
import { readForms, submitForm } from './form.ts'

/**
 * From a redirect to the demo's provider, or the address of its authorization endpoint: signs in
 * with the form, or silently where the provider knows the browser, and answers what the client's
 * callback answered. Throws when the provider does not let the person through.
 */
export async function signInAtProvider(
  client: Client,
  start: Page | URL,
  username: string,
  password: string = username,
): Promise<Page> {
  return client.follow(await lastProviderPage(client, start, { username, password }))
}

/** As `signInAtProvider`, but stops short: the address of the callback, which nobody has visited. */
export async function callbackFromProvider(
  client: Client,
  start: Page | URL,
  username: string,
  password: string = username,
): Promise<URL> {
  const page = await lastProviderPage(client, start, { username, password })
  if (!page.location) throw new Error('unreachable')
  return page.location
}

/** Presses Cancel on the provider's sign-in page; answers what the client's callback answered. */
export async function cancelAtProvider(client: Client, start: Page | URL): Promise<Page> {
  return client.follow(await lastProviderPage(client, start, { cancel: 'yes' }))
}

/**
 * From a redirect to the provider's sign-out: says yes, and answers what stands at the end, at the
 * provider or where the client asked to be sent back to.
 */
export async function signOutAtProvider(client: Client, start: Page | URL): Promise<Page> {
  const { page, left } = await openProvider(client, start)
  const answer = await submitForm(client, page, { logout: 'yes' }, hasXsrf)
  return client.followAll(await client.followAll(answer, left))
}

/** The page at the provider whose redirect leaves it. */
async function lastProviderPage(
  client: Client,
  start: Page | URL,
  values: Readonly<Record<string, string>>,
): Promise<Page> {
  const { page: first, left } = await openProvider(client, start)
  let page = first
  if (!page.location) {
    page = await submitForm(client, page, values, ({ fields }) => 'password' in fields)
    page = await client.followAll(page, left)
  }
  // Somebody else was signed in: the provider ends that session by a form that sends itself.
  if (!page.location && readForms(page).some(hasXsrf)) {
    page = await client.followAll(await submitForm(client, page, {}, hasXsrf), left)
  }
  if (!page.location) throw new Error(`Sign-in ended at ${page.status} ${page.url}: ${page.text()}`)
  return page
}

async function openProvider(client: Client, start: Page | URL) {
  const target = start instanceof URL ? start : start.location
  if (!target) throw new Error('Not a redirect to the provider')
  const left = ({ origin }: URL) => origin !== target.origin
  const opened = start instanceof URL ? await client.get(start) : await client.follow(start)
  return { page: await client.followAll(opened, left), left }
}

function hasXsrf({ fields }: { fields: Readonly<Record<string, string>> }): boolean {
  return 'xsrf' in fields
}
