// Comfort for stepgate's forms: everything works without it.
const all = (selector) => document.querySelectorAll(selector)
const one = (selector) => document.querySelector(selector)
const busy = new WeakSet()

// A form is sent once; the back button brings the page back as it was, and frees it.
const release = (form, free) => {
  if (free) busy.delete(form)
  else busy.add(form)
  form.querySelector('[type=submit]').disabled = !free
}
for (const form of all('form[data-once]')) {
  form.addEventListener('submit', (event) => {
    if (busy.has(form)) event.preventDefault()
    else release(form, false)
  })
}
addEventListener('pageshow', (event) => {
  if (event.persisted) for (const form of all('form[data-once]')) release(form, true)
})

const clock = (seconds) => {
  const two = (number) => String(number).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  const start = minutes < 60 ? minutes : `${Math.floor(minutes / 60)}:${two(minutes % 60)}`
  return `${start}:${two(seconds % 60)}`
}
for (const element of all('[data-countdown]')) {
  const data = element.dataset
  const start = Date.now()
  const tick = () => {
    const left = Math.ceil(data.countdown - (Date.now() - start) / 1000)
    element.textContent = left > 0 ? data.running.replace('{time}', clock(left)) : data.done
    if (element.form) element.disabled = left > 0
    if (left > 0) return
    clearInterval(timer)
    // Nobody wants a clock read out by the second, but its end is worth a word.
    if (data.announce === undefined) return
    one('[data-announcer]').textContent = data.done
    one('.notice')?.remove()
    for (const again of all('[data-ran-out]'))
      again.textContent = again.dataset.done = again.dataset.ranOut
  }
  const timer = setInterval(tick, 1000)
  tick()
}

const form = one('form[data-code-length]')
if (form) {
  const length = Number(form.dataset.codeLength)
  const field = form.elements.code
  const done = new AbortController()
  let before = 0
  const fill = (code) => {
    field.value = code
    form.requestSubmit()
  }
  form.addEventListener('submit', () => done.abort())

  // The whole message may be pasted: the code is its one run of digits of that length.
  field.addEventListener('paste', (event) => {
    const text = event.clipboardData.getData('text').replace(/(\d)[\s-](?=\d)/g, '$1')
    const codes = text.match(/\d+/g)?.filter((run) => run.length === length)
    if (codes?.length !== 1) return
    event.preventDefault()
    fill(codes[0])
  })
  // What arrives in one go is a suggestion that was taken: typing is never sent by itself.
  field.addEventListener('input', () => {
    const digits = field.value.replace(/\D/g, '')
    if (digits.length === length && before < length - 1) fill(digits)
    before = digits.length
  })
  if ('OTPCredential' in window) {
    navigator.credentials
      .get({ otp: { transport: ['sms'] }, signal: done.signal })
      .then((credential) => fill(credential.code))
      .catch(() => {})
  }
}
