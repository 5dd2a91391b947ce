// Says how the message fares; without it the page does when it is loaded again.
const region = document.querySelector('[data-delivery]')
const { events, status } = region.dataset
const SILENCE = 5000
const PAUSE = 3000

// Takes one piece of news; true when no more will come.
const take = ({ kind, final, text }) => {
  if (text && kind !== region.dataset.delivery) {
    const tone = kind === 'failed' ? 'error' : 'good'
    const box = document.querySelector(`template[data-tone=${tone}]`).content.cloneNode(true)
    const lines = text.map((line) =>
      Object.assign(document.createElement('p'), { textContent: line }),
    )
    box.querySelector('div > div').append(...lines)
    region.replaceChildren(box)
    region.dataset.delivery = kind
  }
  // What failed to arrive need not be waited for.
  if (kind === 'failed')
    for (const button of document.querySelectorAll('form[action^="/_stepgate/otp/"] button'))
      button.dataset.countdown = 0
  return final
}

const ask = async () => {
  try {
    const answer = await fetch(status)
    if (answer.status < 500 && (!answer.ok || take(await answer.json()))) return
  } catch {
    // The line is down for a moment.
  }
  setTimeout(ask, PAUSE)
}

const listen = () => {
  const source = new EventSource(events)
  const giveUp = () => {
    source.close()
    ask()
  }
  // Something on the way may keep events back.
  const silence = setTimeout(giveUp, SILENCE)
  source.onmessage = ({ data }) => {
    clearTimeout(silence)
    if (take(JSON.parse(data))) source.close()
  }
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return
    clearTimeout(silence)
    ask()
  }
  addEventListener('pagehide', () => source.close(), { once: true })
}
listen()
addEventListener('pageshow', (event) => event.persisted && listen())
