// A module for pages of the application. Where stepgate answers a fetch by 401, the person goes on in
// another window, then it is sent again. Who cancels gets the 401. For other requests than fetch there
// is `await stepgate.stepUp(step_up_url)`.
const { fetch } = window
const read = async (path) => (await fetch(`/_stepgate/${path}`)).json()
let asking
let refused

const proof = async () => {
  const { auth_time, otp_time } = await read('session')
  return `${auth_time} ${otp_time}`
}

const ask = async (url) => {
  // What asks by itself is told no once.
  if (refused && !navigator.userActivation?.isActive) return
  url.searchParams.set('return_to', '/_stepgate/stepped-up')
  const href = url.pathname + url.search
  const [text, before] = await Promise.all([read('step-up/texts'), proof()])
  const { lang, dir } = text
  const add = (to, tag, props) => to.appendChild(Object.assign(document.createElement(tag), props))
  const host = add(document.body, 'div')
  const root = host.attachShadow({ mode: 'open' })
  const dialog = add(root, 'dialog', { ariaLabel: text.title, lang, dir })
  add(dialog, 'h2', { textContent: text.title })
  const say = add(dialog, 'p', { textContent: text.lead, role: 'status' })
  const onclick = (event) => {
    // A blocker lets the link be followed.
    if (open(href, '_blank', 'popup,width=480,height=760')) event.preventDefault()
    say.textContent = text.wait
  }
  add(dialog, 'a', { textContent: text.go, href, target: '_blank', onclick })
  add(dialog, 'button', { textContent: text.cancel, onclick: () => dialog.close() })
  const onload = () => dialog.showModal()
  const style = { rel: 'stylesheet', href: '/_stepgate/assets/step-up.css' }
  add(root, 'link', { ...style, onload, onerror: onload })

  const done = () => dialog.close('done')
  const channel = new BroadcastChannel('stepgate')
  channel.onmessage = done
  // A page that was asleep has missed it.
  const look = async () => (await proof()) !== before && done()
  addEventListener('focus', look)
  await new Promise((resolve) => {
    dialog.onclose = resolve
  })
  removeEventListener('focus', look)
  channel.close()
  host.remove()
  refused = !dialog.returnValue
  return !refused
}

window.stepgate = {
  stepUp(url) {
    asking ??= ask(new URL(url, location)).finally(() => {
      asking = undefined
    })
    return asking
  },
}
window.fetch = async (...given) => {
  const { origin } = new URL(given[0].url ?? given[0], document.baseURI)
  if (origin !== location.origin) return fetch(...given)
  const request = new Request(...given)
  for (let tries = 0; ; tries++) {
    const response = await fetch(request.clone())
    const challenge = response.headers.get('www-authenticate')
    if (tries > 1 || !/realm="stepgate"/.test(challenge)) return response
    const { step_up_url, sign_in_url } = await response.clone().json()
    if (!(await stepgate.stepUp(step_up_url ?? sign_in_url))) return response
  }
}
