// For pages of the application: where stepgate answers a fetch by 401, a person goes on in a window,
// then it is sent again. Who cancels gets the 401. Others: `await stepgate.stepUp(step_up_url)`.
const { fetch, origin } = window
const read = async (path) => (await fetch(`/_stepgate/${path}`)).json()
let asking, refused, who

// False for another person: nobody sends what another typed.
const proof = async () => {
  const { sub, auth_time, otp_time } = await read('session')
  who ??= sub
  return sub === who && `${auth_time} ${otp_time}`
}

const ask = async (url) => {
  // What asks by itself is told no once.
  if (url.origin !== origin || (refused && !navigator.userActivation?.isActive)) return false
  url.searchParams.set('return_to', '/_stepgate/stepped-up')
  const before = await proof()
  const { title, lang, dir, lead, wait, go, cancel } = await read('step-up/texts')
  const add = (to, tag, props) => to.appendChild(Object.assign(document.createElement(tag), props))
  const host = add(document.body, 'div')
  const root = host.attachShadow({ mode: 'open' })
  const dialog = add(root, 'dialog', { ariaLabel: title, lang, dir })
  add(dialog, 'h2', { textContent: title })
  const say = add(dialog, 'p', { textContent: lead, role: 'status' })
  const onclick = (event) => {
    // A blocker lets the link be followed.
    if (open(url, '_blank', 'popup,width=480,height=760')) event.preventDefault()
    say.textContent = wait
  }
  add(dialog, 'a', { textContent: go, href: url, target: '_blank', onclick })
  add(dialog, 'button', { textContent: cancel, onclick: () => dialog.close() })
  const onload = () => host.isConnected && dialog.showModal()
  const href = '/_stepgate/assets/step-up.css'
  add(root, 'link', { rel: 'stylesheet', href, onload, onerror: onload })

  const channel = new BroadcastChannel('stepgate')
  let look
  const done = await new Promise((resolve) => {
    dialog.onclose = () => resolve()
    channel.onmessage = resolve
    // A page that was asleep has missed it.
    look = () =>
      proof().then(
        (now) => now && now !== before && resolve(now),
        () => {},
      )
    addEventListener('focus', look)
  })
  removeEventListener('focus', look)
  channel.close()
  dialog.close()
  host.remove()
  refused = !(done && (await proof()))
  return !refused
}

window.stepgate = {
  stepUp: (url) => (asking ??= ask(new URL(url, location)).finally(() => (asking = null))),
}
window.fetch = async (...given) => {
  const request = new Request(...given)
  if (new URL(request.url).origin !== origin) return fetch(request)
  for (let tries = 0; ; tries++) {
    const answer = await fetch(request.clone())
    if (tries > 1 || !/realm="stepgate"/.test(answer.headers.get('www-authenticate'))) return answer
    try {
      const { step_up_url, sign_in_url } = await answer.clone().json()
      if (await stepgate.stepUp(step_up_url ?? sign_in_url)) continue
    } catch {}
    return answer
  }
}
proof().catch(() => {})
