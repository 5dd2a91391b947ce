import { Ajv, type AnySchemaObject } from 'ajv'
import description from './twilio-openapi.json' with { type: 'json' }

type Part = 'request' | 'answer' | 'path'
type Json = Record<string, unknown>

const RFC_2822 =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/

// Strict as to keywords, so that a part of the description that is not understood is an error.
const ajv = new Ajv({ strict: true, allErrors: true, coerceTypes: false, strictTypes: false })
ajv.addVocabulary(['x-twilio', 'example'])
ajv.addFormat('phone-number', /^\+[1-9]\d{6,14}$/)
ajv.addFormat('date-time-rfc-2822', RFC_2822)
ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)))
ajv.addFormat('currency', /^[A-Z]{3}$/)
ajv.addFormat('uri-map', true)
// Twilio's examples of these are absolute paths.
ajv.addFormat('uri', /^(https:\/\/|\/)\S+$/)

// A form has only strings: these are what a number or a boolean looks like in one.
const forms = new Ajv({ strict: false, allErrors: true, coerceTypes: true })
forms.addFormat('phone-number', /^\+[1-9]\d{6,14}$/)
forms.addFormat('endpoint', /^\+[1-9]\d{6,14}$/)
forms.addFormat('twiml', (text: string) => /^<\?xml[^>]*\?><Response>.*<\/Response>$/s.test(text))
forms.addFormat('uri', (text: string) => URL.canParse(text))
forms.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)))

/**
 * What in `value` is not as Twilio's published OpenAPI has it; empty when all is. Stricter than the
 * description: fields that it does not declare count, and in an answer those that are missing.
 */
export function problemsIn(part: Part, path: string, method: string, value: unknown): string[] {
  const schema = closed(resolved(schemaOf(part, path, method)), part === 'answer')
  const checker = part === 'answer' ? ajv : forms
  const isValid = checker.validate(schema, structuredClone(value))
  return isValid ? [] : (checker.errors ?? []).map((e) => `${e.instancePath} ${e.message}`)
}

function schemaOf(part: Part, path: string, method: string): AnySchemaObject {
  const operation = (description.paths as unknown as Record<string, Record<string, Operation>>)[
    path
  ]?.[method]
  if (!operation) throw new Error(`No ${method} ${path} in the description`)
  if (part === 'path') {
    const named = operation.parameters.filter((parameter) => parameter.in === 'path')
    const properties = Object.fromEntries(named.map(({ name, schema }) => [name, schema]))
    return { type: 'object', properties, required: Object.keys(properties) }
  }
  if (part === 'request') {
    return operation.requestBody.content['application/x-www-form-urlencoded'].schema
  }
  const [answer] = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'))
  if (!answer) throw new Error(`No answer of ${method} ${path} in the description`)
  return answer[1].content['application/json'].schema
}

type Operation = {
  parameters: { in: string; name: string; schema: AnySchemaObject }[]
  requestBody: { content: { 'application/x-www-form-urlencoded': { schema: AnySchemaObject } } }
  responses: Record<string, { content: { 'application/json': { schema: AnySchemaObject } } }>
}

function resolved(schema: unknown): AnySchemaObject {
  if (Array.isArray(schema)) return schema.map(resolved)
  if (typeof schema !== 'object' || schema === null) return schema as unknown as AnySchemaObject
  const reference = (schema as Json).$ref
  if (typeof reference === 'string') {
    const name = reference.split('/').at(-1) ?? ''
    return resolved((description.components.schemas as Json)[name])
  }
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolved(value)]))
}

function closed(schema: AnySchemaObject, complete: boolean): AnySchemaObject {
  if (schema.type === 'array') return { ...schema, items: closed(schema.items, complete) }
  if (schema.type !== 'object' || !schema.properties) return schema
  const properties = Object.entries(schema.properties as Record<string, AnySchemaObject>)
  return {
    ...schema,
    properties: Object.fromEntries(
      properties.map(([key, value]) => [key, closed(value, complete)]),
    ),
    additionalProperties: false,
    ...(complete ? { required: properties.map(([key]) => key) } : {}),
  }
}
