import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

// Tests and tasks replace what stands in the global scope: lib/ takes it from lib/base/globals.js,
// and timers and clocks from lib/base/time.js.
const kFixed = ['Infinity', 'NaN', 'undefined']
const everyGlobal = Object.getOwnPropertyNames(globalThis).filter((name) => !kFixed.includes(name))

const required = (names) => `CallExpression[callee.name="require"] > Literal[value=/^(node:)?(${names.replace('/', '.')})$/]`

export default [
  ...neostandard({
    ignores: resolveIgnoresFromGitignore(),
    ts: true
  }),
  {
    rules: {
      'n/prefer-node-protocol': 'error'
    }
  },
  {
    files: ['**/*.js'],
    languageOptions: { sourceType: 'commonjs' },
    rules: {
      strict: ['error', 'global']
    }
  },
  {
    files: ['lib/**/*.{js,mjs}'],
    rules: {
      '@stylistic/max-len': ['error', { code: 100 }]
    }
  },
  {
    files: ['lib/**/*.js'],
    ignores: ['lib/base/globals.js'],
    languageOptions: { globals: Object.fromEntries(everyGlobal.map((name) => [name, 'off'])) },
    rules: {
      'no-undef': ['error', { typeof: true }],
      'no-restricted-syntax': ['error',
        { selector: required('buffer|process'), message: 'Take it from lib/base/globals.js.' },
        { selector: required('perf_hooks|timers|timers/promises'), message: 'Use lib/base/time.js.' }
      ],
      'no-restricted-properties': ['error',
        { object: 'process', property: 'nextTick', message: 'Take it from lib/base/globals.js.' },
        { object: 'process', property: 'hrtime', message: 'Use lib/base/time.js.' },
        { object: 'Date', property: 'now', message: 'Use lib/base/time.js.' }
      ]
    }
  },
  {
    files: ['{test,scripts,bench,examples}/**/*.{js,mjs,ts}'],
    rules: {
      '@stylistic/max-len': ['error', { code: 100, ignoreUrls: true }]
    }
  }
]
