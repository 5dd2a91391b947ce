/** Somebody who can sign in at the demo's provider. */
export type DemoPerson = {
  /** The provider's `sub`: opaque, and never the username. */
  readonly subject: string
  readonly username: string
  readonly password: string
  readonly name: string
  readonly email: string
  readonly groups: readonly string[]
  /** E.164, in the order of the directory. From the ranges that BNetzA keeps free for films. */
  readonly phoneNumbers: readonly string[]
}

/** The demo's people: with one number, with two, and with none. */
export const demoPeople: readonly DemoPerson[] = [
  {
    subject: '5f1d7a52-8c0e-4b7e-9d35-2f6a1c3be801',
    username: 'alice',
    password: 'alice',
    name: 'Alice Adams',
    email: 'alice@example.com',
    groups: ['hr', 'staff'],
    phoneNumbers: ['+4915228817386'],
  },
  {
    subject: 'c2b9e6f4-30d1-4c55-8f0a-7be94d216a02',
    username: 'bob',
    password: 'bob',
    name: 'Bob Brown',
    email: 'bob@example.com',
    groups: ['staff'],
    phoneNumbers: ['+4915228895456', '+491713920042'],
  },
  {
    subject: '91ac03d8-6e27-4f19-b1c6-58d0e7f9a403',
    username: 'carol',
    password: 'carol',
    name: 'Carol Müller-Größe',
    email: 'carol@example.com',
    groups: ['staff'],
    phoneNumbers: [],
  },
]
