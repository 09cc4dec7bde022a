'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { availableParallelism, cpuQuota } = require('../lib/cpu')

// A folder with the files of proc and sys that a machine would have.
function machine (t, files) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'telar-cpu-'))
  t.after(() => fs.rmSync(root, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name)
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, text)
  }
  return root
}

const v2Mount = '30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n'
const v1Mount = '31 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n'

test('availableParallelism() is a whole number from 1 to what Node says', () => {
  const count = availableParallelism()
  assert.ok(Number.isInteger(count) && count >= 1 && count <= os.availableParallelism())
  assert.equal(availableParallelism(), count)
})

test('version 2: the quota of the own group', (t) => {
  const root = machine(t, {
    'proc/self/mountinfo': v2Mount,
    'proc/self/cgroup': '0::/app\n',
    'sys/fs/cgroup/app/cpu.max': '150000 100000\n'
  })
  assert.equal(cpuQuota(root), 1.5)
})

test('version 2: the tightest quota on the way up counts', (t) => {
  const root = machine(t, {
    'proc/self/mountinfo': v2Mount,
    'proc/self/cgroup': '0::/a/b/c\n',
    'sys/fs/cgroup/a/b/c/cpu.max': 'max 100000\n',
    'sys/fs/cgroup/a/b/cpu.max': '50000 100000\n',
    'sys/fs/cgroup/a/cpu.max': '400000 100000\n'
  })
  assert.equal(cpuQuota(root), 0.5)
})

test('version 2: in a container the mount shows only its own group', (t) => {
  const root = machine(t, {
    'proc/self/mountinfo': '30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n',
    'proc/self/cgroup': '0::/docker/abc\n',
    'sys/fs/cgroup/cpu.max': '200000 100000\n'
  })
  assert.equal(cpuQuota(root), 2)
})

test('version 1: quota divided by period', (t) => {
  const root = machine(t, {
    'proc/self/mountinfo': v1Mount,
    'proc/self/cgroup': '12:memory:/x\n4:cpu,cpuacct:/app\n0::/\n',
    'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_quota_us': '300000\n',
    'sys/fs/cgroup/cpu,cpuacct/app/cpu.cfs_period_us': '100000\n'
  })
  assert.equal(cpuQuota(root), 3)
})

test('version 1: -1 is no limit', (t) => {
  const root = machine(t, {
    'proc/self/mountinfo': v1Mount,
    'proc/self/cgroup': '4:cpu,cpuacct:/\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n',
    'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n'
  })
  assert.equal(cpuQuota(root), Infinity)
})

test('a mount point with a space in its name is found', (t) => {
  const root = machine(t, {
    'proc/self/mountinfo': '30 24 0:26 / /mnt/c\\040groups rw - cgroup2 cgroup2 rw\n',
    'proc/self/cgroup': '0::/\n',
    'mnt/c groups/cpu.max': '100000 100000\n'
  })
  assert.equal(cpuQuota(root), 1)
})

test('no control groups, or files that make no sense, are no limit', (t) => {
  assert.equal(cpuQuota(machine(t, {})), Infinity)
  assert.equal(cpuQuota(machine(t, { 'proc/self/cgroup': '0::/\n' })), Infinity)
  assert.equal(cpuQuota(machine(t, {
    'proc/self/mountinfo': v2Mount,
    'proc/self/cgroup': 'garbage\n0::/\n',
    'sys/fs/cgroup/cpu.max': 'one two\n'
  })), Infinity)
})
