import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import { parsePhoneNumberFromString } from 'libphonenumber-js'
import type { PhoneMessage } from '../twilio-api.ts'
import type { Plan } from '../twilio-plan.ts'
import { fateForm } from './fate-form.ts'
import { readMessage } from './read-message.ts'

type Markup = HtmlEscapedString | Promise<HtmlEscapedString>

/** A phone and what it got, newest first; `owner` is absent when nobody is known by the number. */
export type PhoneScreen = { number: string; owner?: string; messages: readonly PhoneMessage[] }

/** Sorts messages to phones: those of `owners` in their order, then numbers that nobody owns. */
export function phoneScreens(
  owners: Readonly<Record<string, string>>,
  messages: readonly PhoneMessage[],
): PhoneScreen[] {
  const strangers = messages.map(({ to }) => to).filter((to) => !Object.hasOwn(owners, to))
  return [...new Set([...Object.keys(owners), ...strangers])].map((number) => ({
    number,
    ...(Object.hasOwn(owners, number) ? { owner: owners[number] ?? '' } : {}),
    messages: messages.filter(({ to }) => to === number),
  }))
}

/** The page of all phones; works without its script, which only keeps it up to date. */
export function phonePage(screens: readonly PhoneScreen[], plan: Plan, now: Date): Markup {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Phones · stepgate demo</title>
<link rel="icon" href="/phone.svg" type="image/svg+xml">
<link rel="stylesheet" href="/phone.css">
<script src="/phone.js" defer></script>
</head>
<body>
<header class="top">
<div>
<h1>Phones</h1>
<p>Every text and call that stepgate makes in this demo arrives here.</p>
</div>
<p class="connection" role="status"></p>
<p class="news" role="status"></p>
</header>
${fateForm(plan)}
<nav class="tabs" aria-label="Phones">${screens.map(tab)}</nav>
<main class="phones">${screens.map((screen) => phone(screen, now))}</main>
</body>
</html>`
}

function tab({ number, owner, messages }: PhoneScreen): Markup {
  return html`<a href="#${idOf(number)}"><span class="name">${owner ?? 'Unknown'}</span>
<span class="ends">…${number.slice(-2)}</span>${
    messages.length > 0 ? html`<span class="count">${messages.length}</span>` : ''
  }</a>`
}

function phone({ number, owner, messages }: PhoneScreen, now: Date): Markup {
  const name = owner ?? 'Unknown'
  const [newest] = messages
  return html`<article class="phone" id="${idOf(number)}" aria-label="${name}’s phone, ${number}">
<div class="body">
<div class="screen">
<div class="bar" aria-hidden="true"><time>${clockTime(now)}</time><i class="island"></i>${ICONS}</div>
<div class="chat">${newest ? conversation(messages, newest) : silence(owner)}</div>
<i class="home" aria-hidden="true"></i>
</div>
</div>
<p class="caption"><strong>${name}</strong> <span>${spaced(number)}</span></p>
</article>`
}

function conversation(messages: readonly PhoneMessage[], newest: PhoneMessage): Markup {
  const { code } = readMessage(newest.body)
  return html`<div class="sender"><i aria-hidden="true">${PERSON}</i><span>${spaced(newest.from)}</span></div>
<ol class="thread" tabindex="0" aria-label="Messages, newest first">${messages.map((message) => bubble(message))}</ol>
${
  code === undefined
    ? ''
    : html`<button class="copy" type="button" data-code="${code}"><small>${newest.channel === 'call' ? 'From a call' : 'From Messages'}</small>
<b>${code}</b><em>Copy code</em></button>`
}`
}

function bubble(message: PhoneMessage): Markup {
  if (message.channel === 'call') return call(message)
  const { text, code, host } = readMessage(message.body)
  const [before, after] = code === undefined ? [text] : split(text, code)
  const sent = new Date(message.sentAt)
  return html`<li data-key="${message.sentAt} ${code ?? ''}"><time datetime="${message.sentAt}">${dayTime(sent)}</time>
<div class="bubble"><p>${before}${
    code !== undefined && after !== undefined ? html`<b class="code">${code}</b>${after}` : ''
  }</p>${host === undefined ? '' : html`<p class="bound">@${host} #${code}</p>`}</div></li>`
}

/** A call that was answered: what was said, with each reading of the digits to be seen at once. */
function call({ body, from, sentAt }: PhoneMessage): Markup {
  const { code = '' } = readMessage(body)
  const spoken = [...code].join(', ')
  const [first = '', ...rest] = spoken === '' ? [body] : body.split(spoken)
  return html`<li data-key="${sentAt} ${code}"><time datetime="${sentAt}">${dayTime(new Date(sentAt))}</time>
<div class="bubble call"><p class="caller">${HANDSET}<span>Call from ${spaced(from)}</span></p><p>${first}${rest.map((text) => html`<b class="code">${spoken}</b>${text}`)}</p></div></li>`
}

function silence(owner: string | undefined): Markup {
  return html`<div class="silence">${BUBBLE}<p>No messages yet</p>
<small>${owner === undefined ? '' : `When ${owner} is asked for a code, it arrives here.`}</small></div>`
}

function split(text: string, code: string): [string] | [string, string] {
  const at = text.indexOf(code)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + code.length)]
}

function idOf(number: string): string {
  return `phone-${number.replace(/\D/g, '')}`
}

function spaced(number: string): string {
  return parsePhoneNumberFromString(number)?.formatInternational() ?? number
}

function clockTime(date: Date): string {
  return date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
}

function dayTime(date: Date): string {
  return date.toLocaleString('en-GB', { weekday: 'long', hour: '2-digit', minute: '2-digit' })
}

const ICONS = html`<svg viewBox="0 0 64 14" width="64" height="14" fill="currentColor"><rect x="0" y="9" width="3" height="4" rx="1"/><rect x="4.5" y="6.5" width="3" height="6.5" rx="1"/><rect x="9" y="4" width="3" height="9" rx="1"/><rect x="13.5" y="1" width="3" height="12" rx="1"/><path d="M22 5.2a9.5 9.5 0 0 1 13 0l-1.4 1.5a7.4 7.4 0 0 0-10.2 0zm2.6 2.7a5.8 5.8 0 0 1 7.8 0L31 9.4a3.7 3.7 0 0 0-5 0zm2.5 2.6a2.2 2.2 0 0 1 2.8 0L28.5 12.6z"/><rect x="40.5" y="1.5" width="19" height="11" rx="3.2" fill="none" stroke="currentColor" opacity=".5"/><rect x="42" y="3" width="13" height="8" rx="2"/><rect x="60.5" y="5" width="1.8" height="4" rx=".9" opacity=".5"/></svg>`
const HANDSET = html`<svg viewBox="0 0 24 24" width="16" height="16" fill="currentColor" aria-hidden="true"><path d="M6.6 10.8a15 15 0 0 0 6.6 6.6l2.2-2.2a1 1 0 0 1 1-.25 11.4 11.4 0 0 0 3.6.57 1 1 0 0 1 1 1V20a1 1 0 0 1-1 1A17 17 0 0 1 3 4a1 1 0 0 1 1-1h3.5a1 1 0 0 1 1 1c0 1.25.2 2.45.57 3.6a1 1 0 0 1-.25 1z"/></svg>`
const PERSON = html`<svg viewBox="0 0 24 24" width="22" height="22" fill="currentColor"><circle cx="12" cy="8" r="4.2"/><path d="M3.5 21a8.5 8.5 0 0 1 17 0z"/></svg>`
const BUBBLE = html`<svg viewBox="0 0 48 48" width="44" height="44" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" aria-hidden="true"><path d="M24 7C13 7 5 14 5 22.5c0 4.8 2.6 9 6.7 11.8L10 41l8-4c1.9.5 3.9.7 6 .7 11 0 19-6.700 19-15.2S35 7 24 7z"/></svg>`
