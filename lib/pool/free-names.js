'use strict'

// Which names a function takes from outside of itself. The function is given as an ESTree, of which
// only the parts that declare or use names are told apart.

const { Array, Map, Object, Set } = require('../base/globals')

const kFunctions = new Set([
  'FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'
])
// Keys of nodes whose value is a name, but not that of a variable.
const kLabels = new Set(['LabeledStatement', 'BreakStatement', 'ContinueStatement'])

class Scope {
  names = new Set()
  outer
  isFunction

  constructor (outer, isFunction) {
    this.outer = outer
    this.isFunction = isFunction
  }

  has (name) {
    for (let scope = this; scope !== null; scope = scope.outer) {
      if (scope.names.has(name)) return true
    }
    return false
  }

  get ofFunction () {
    let scope = this
    while (!scope.isFunction) scope = scope.outer
    return scope
  }
}

class Search {
  found = new Map() // the first node of each free name
  guarded = new Set() // names that `typeof` asks for
  // Names are looked up when everything is declared: functions and `var` may be used before.
  #uses = []

  // `key`: see freeNames().
  run (node, key) {
    const scope = new Scope(null, true)
    this.#visit(node, scope, false)
    this.#visit(key, scope, false)
    for (const { node, name, scope } of this.#uses) {
      if (!scope.has(name) && !this.found.has(name)) this.found.set(name, node)
    }
    for (const name of this.guarded) this.found.delete(name)
    return this.found
  }

  // `hasThis`: inside a function that has its own `this` and `arguments`.
  #visit (node, scope, hasThis) {
    if (node === null || node === undefined) return
    if (Array.isArray(node)) {
      for (const item of node) this.#visit(item, scope, hasThis)
      return
    }
    if (kFunctions.has(node.type)) return this.#visitFunction(node, scope, hasThis)
    switch (node.type) {
      case 'Identifier':
        if (node.name !== 'arguments' || !hasThis) this.#use(node, node.name, scope)
        return
      case 'ThisExpression':
        if (!hasThis) this.#use(node, 'this', scope)
        return
      case 'MetaProperty': // new.target
        return
      case 'UnaryExpression':
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') {
          this.guarded.add(node.argument.name)
          return
        }
        break
      case 'VariableDeclaration': {
        const declaring = node.kind === 'var' ? scope.ofFunction : scope
        for (const { id, init } of node.declarations) {
          this.#declare(id, declaring, scope, hasThis)
          this.#visit(init, scope, hasThis)
        }
        return
      }
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#visitClass(node, scope, hasThis)
      case 'CatchClause': {
        const inner = new Scope(scope, false)
        if (node.param !== null) this.#declare(node.param, inner, inner, hasThis)
        return this.#visit(node.body, inner, hasThis)
      }
      case 'BlockStatement':
      case 'ForStatement':
      case 'ForInStatement':
      case 'ForOfStatement':
      case 'SwitchStatement':
        return this.#visitChildren(node, new Scope(scope, false), hasThis)
      case 'PropertyDefinition':
      case 'StaticBlock':
        if (node.computed) this.#visit(node.key, scope, hasThis)
        return this.#visit(node.value ?? node.body, new Scope(scope, true), true)
    }
    this.#visitChildren(node, scope, hasThis)
  }

  #visitChildren (node, scope, hasThis) {
    for (const key of Object.keys(node)) {
      const value = node[key]
      if (typeof value !== 'object' || value === null || !this.#isUse(node, key)) continue
      if (Array.isArray(value) || typeof value.type === 'string') {
        this.#visit(value, scope, hasThis)
      }
    }
  }

  // Whether a part of a node may use names.
  #isUse (node, key) {
    if (key === 'label') return !kLabels.has(node.type)
    if (key === 'property') return node.type !== 'MemberExpression' || node.computed
    return key !== 'key' || node.computed
  }

  #visitFunction (node, scope, hasThis) {
    const isArrow = node.type === 'ArrowFunctionExpression'
    if (node.type === 'FunctionDeclaration') {
      scope.names.add(node.id.name)
      scope.ofFunction.names.add(node.id.name) // visible there too, unless the code is strict
    }
    const inner = new Scope(scope, true)
    if (node.type === 'FunctionExpression' && node.id !== null) inner.names.add(node.id.name)
    for (const param of node.params) this.#declare(param, inner, inner, hasThis || !isArrow)
    // Default values of the parameters do not see what the body declares.
    const ofBody = new Scope(inner, true)
    const body = node.body.type === 'BlockStatement' ? node.body.body : node.body
    this.#visit(body, ofBody, hasThis || !isArrow)
  }

  #visitClass (node, scope, hasThis) {
    if (node.type === 'ClassDeclaration') scope.names.add(node.id.name)
    const inner = new Scope(scope, false)
    if (node.id !== null) inner.names.add(node.id.name)
    this.#visit(node.superClass, inner, hasThis)
    this.#visit(node.body.body, inner, hasThis)
  }

  // Declares the names of a pattern, whose default values and computed keys may use others.
  #declare (pattern, declaring, scope, hasThis) {
    switch (pattern?.type) {
      case 'Identifier':
        declaring.names.add(pattern.name)
        break
      case 'ObjectPattern':
        for (const property of pattern.properties) {
          if (property.computed) this.#visit(property.key, scope, hasThis)
          this.#declare(property.argument ?? property.value, declaring, scope, hasThis)
        }
        break
      case 'ArrayPattern':
        for (const item of pattern.elements) this.#declare(item, declaring, scope, hasThis)
        break
      case 'RestElement':
        this.#declare(pattern.argument, declaring, scope, hasThis)
        break
      case 'AssignmentPattern':
        this.#visit(pattern.right, scope, hasThis)
        this.#declare(pattern.left, declaring, scope, hasThis)
    }
  }

  #use (node, name, scope) { this.#uses.push({ node, name, scope }) }
}

// A Map with the first node of each name. `key`: of a method, if it is computed; else null.
function freeNames (node, key = null) { return new Search().run(node, key) }

module.exports = { freeNames }
