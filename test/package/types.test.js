'use strict'

// The comments of the types, which editors show: each class has an example that runs, and each
// member has a line. test/types checks the types themselves.

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const ts = require('typescript')
const { useConsumer } = require('../fixtures/use-folder')

const root = path.join(__dirname, '..', '..')
const file = path.join(root, 'index.d.ts')
const text = fs.readFileSync(file, 'utf8')
const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)

const classes = source.statements.filter(ts.isClassDeclaration)
const tagsOf = (node, name) => ts.getJSDocTags(node).filter(({ tagName }) => tagName.text === name)

function examplesOf (node) {
  return tagsOf(node, 'example').map(({ comment }) => ts.getTextOfJSDocComment(comment))
}

test('every exported class has an example', () => {
  assert.ok(classes.length > 10)
  for (const node of classes) assert.equal(examplesOf(node).length, 1, node.name.text)
})

for (const node of source.statements) {
  for (const code of examplesOf(node)) {
    test(`the example of ${node.name.text} runs and prints what it says`, (t) => {
      const folder = useConsumer(t)
      fs.writeFileSync(path.join(folder, 'worker.js'), 'module.exports = (n) => Math.sqrt(n)\n')
      fs.writeFileSync(path.join(folder, 'example.mjs'), code)
      const expected = [...code.matchAll(/^\s*console\.log\(.*\) \/\/ (.*)$/gm)]
        .map(([, line]) => `${line}\n`).join('')
      const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'],
        { cwd: folder, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
      assert.equal(stdout, expected)
    })
  }
}

test('every class, member, interface, type and function has a comment', () => {
  const bare = []
  const hasComment = (node) => ts.getJSDocCommentsAndTags(node).length > 0
  const lineOf = (node) =>
    `index.d.ts:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
  let overloaded
  for (const node of source.statements) {
    if (node.name === undefined) continue
    const isOverload = node.name.text === overloaded
    overloaded = node.name.text
    if (!hasComment(node) && !isOverload) bare.push(`${lineOf(node)}: ${node.name.text}`)
    if (!ts.isClassDeclaration(node)) continue
    for (const member of node.members) {
      const isHidden = member.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ProtectedKeyword)
      if (!hasComment(member) && !isHidden) {
        bare.push(`${lineOf(member)}: a member of ${node.name.text}`)
      }
    }
  }
  assert.deepEqual(bare, [])
})

test('every code after @throws is a code of telar', () => {
  const { table } = require('../../lib/base/errors')
  for (const [, code] of text.matchAll(/`(ERR_TELAR_\w+)`/g)) {
    assert.ok(Object.hasOwn(table, code), code)
  }
  assert.ok([...text.matchAll(/@throws/g)].length > 20)
})
