// Keeps the phones up to date: asks for the messages, and for what is planned for the next, once a second and, when they changed, takes
// the new screens from the page itself.
const POLL_MS = 1000
const connection = document.querySelector('.connection')
document.documentElement.classList.add('live')
let shown
let inSight

// Says which phone is in sight where only one is at a time.
const sight = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) inSight = target.id
    markTab()
  },
  { root: document.querySelector('.phones'), threshold: 0.6 },
)
for (const phone of document.querySelectorAll('.phone')) sight.observe(phone)

function markTab() {
  for (const tab of document.querySelectorAll('.tabs a')) {
    if (tab.hash === `#${inSight}`) {
      tab.setAttribute('aria-current', 'true')
      tab.parentElement.scrollLeft = tab.offsetLeft - 20
    } else {
      tab.removeAttribute('aria-current')
    }
  }
}

async function update() {
  const answers = ['/messages', '/control'].map((path) => fetch(path, { cache: 'no-store' }))
  const bodies = (await Promise.all(answers)).map((response) => response.text())
  const state = (await Promise.all(bodies)).join('\n')
  if (shown !== undefined && state !== shown) await refresh()
  shown = state
}

async function refresh() {
  const response = await fetch('/', { cache: 'no-store' })
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
  document.querySelector('.tabs').replaceWith(fresh.querySelector('.tabs'))
  // Only the words: somebody may be choosing.
  const now = document.querySelector('.fate-now')
  const words = fresh.querySelector('.fate-now').textContent
  if (now.textContent !== words) now.textContent = words
  for (const phone of fresh.querySelectorAll('.phone')) {
    const here = document.getElementById(phone.id)
    if (here === null) {
      document.querySelector('.phones').append(phone)
      sight.observe(phone)
    } else {
      here.querySelector('.bar time').replaceWith(phone.querySelector('.bar time'))
      replaceChat(here, phone)
    }
  }
  markTab()
}

function replaceChat(here, phone) {
  const keys = (chat) => [...chat.querySelectorAll('[data-key]')].map(({ dataset }) => dataset.key)
  const known = new Set(keys(here))
  const arrived = keys(phone).filter((key) => !known.has(key))
  if (arrived.length === 0 && keys(phone).length === known.size) return
  for (const item of phone.querySelectorAll('[data-key]')) {
    if (arrived.includes(item.dataset.key)) item.classList.add('arrived')
  }
  here.querySelector('.chat').replaceWith(phone.querySelector('.chat'))
  if (arrived.length === 0) return
  const name = here.querySelector('.caption strong').textContent
  document.querySelector('.news').textContent = `New message for ${name}`
  here.classList.remove('buzz')
  // Reading a measure restarts the animation.
  void here.offsetWidth
  here.classList.add('buzz')
  here.scrollIntoView({ block: 'nearest', inline: 'center', behavior: 'smooth' })
}

async function poll() {
  try {
    if (!document.hidden) await update()
    connection.textContent = ''
  } catch {
    connection.textContent = 'The demo does not answer'
  }
  setTimeout(poll, POLL_MS)
}

async function copy(button) {
  const label = button.querySelector('em')
  try {
    await navigator.clipboard.writeText(button.dataset.code)
    label.textContent = 'Copied'
  } catch {
    // Without leave to write to the clipboard the code is marked, to be copied by hand.
    getSelection().selectAllChildren(button.closest('.chat').querySelector('.code'))
    label.textContent = 'Selected'
  }
  button.classList.add('done')
  setTimeout(() => {
    label.textContent = 'Copy code'
    button.classList.remove('done')
  }, 2000)
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('.copy')
  if (button) copy(button)
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) update().catch(() => {})
})
poll()
