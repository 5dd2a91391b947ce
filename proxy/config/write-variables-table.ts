import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withVariablesTable } from './variables-table.ts'

// Run by `npm run docs`: brings the README's table of variables up to date.
const readme = join(import.meta.dirname, '../../README.md')
writeFileSync(readme, withVariablesTable(readFileSync(readme, 'utf8')))
