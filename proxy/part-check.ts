/**
 * What came of trying a part that stepgate depends on. `detail` is for the operator and holds no
 * secret: what was found, or what is wrong and what to do.
 */
export type PartCheck = { readonly kind: 'ok' | 'problem'; readonly detail: string }
