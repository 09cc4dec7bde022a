# Two targets, because compilers take one set of flags per target: the core is
# C11 and knows nothing of Node, the binding is C++17. Both end up in telar.node.
{
  'variables': {
    # Every source in a folder belongs to it: listing the folder forgets none. Arguments: the folder,
    # how names end, how they begin.
    'list_sources': 'node -p "const [, folder, end, start = String()] = process.argv; require(\'node:fs\').readdirSync(folder).filter((name) => name.endsWith(end) && name.startsWith(start)).map((name) => folder + \'/\' + name).join(\' \')"',
    # In the published package the headers of node-addon-api are beside this file.
    'node_addon_api': '<!(node -p "const name = \'node-addon-api\'; require(\'node:fs\').existsSync(name) ? name : require(name).include_dir")',
  },

  'target_defaults': {
    'include_dirs': ['src'],
    'cflags!': ['-O2'],
    # Node's own build description sets no visibility, and hidden symbols are
    # what keeps two versions of telar in one process apart.
    'cflags': ['-O3', '-fvisibility=hidden', '-Wall', '-Wextra'],
    'cflags_c': ['-std=c11'],
    'cflags_cc!': ['-std=gnu++17', '-std=gnu++20'],
    'cflags_cc': ['-std=c++17', '-fvisibility-inlines-hidden'],
    'xcode_settings': {
      'GCC_OPTIMIZATION_LEVEL': '3',
      'GCC_C_LANGUAGE_STANDARD': 'c11',
      'CLANG_CXX_LANGUAGE_STANDARD': 'c++17',
      'CLANG_CXX_LIBRARY': 'libc++',
      'GCC_SYMBOLS_PRIVATE_EXTERN': 'YES',
      'GCC_INLINES_ARE_PRIVATE_EXTERN': 'YES',
      'MACOSX_DEPLOYMENT_TARGET': '11.0',
      'WARNING_CFLAGS': ['-Wall', '-Wextra'],
    },
  },

  'targets': [
    {
      'target_name': 'telar_core',
      'type': 'static_library',
      'win_delay_load_hook': 'false',
      'sources': ['<!@(<(list_sources) src/core .c)'],
      'conditions': [
        ['OS=="linux"', { 'sources': ['<!@(<(list_sources) src/os .c os_linux)'], 'cflags': ['-fPIC'] }],
        ['OS=="mac"', { 'sources': ['<!@(<(list_sources) src/os .c os_darwin)'] }],
        ['OS=="win"', {
          'sources': ['<!@(<(list_sources) src/os .c os_windows)'],
          'msvs_settings': {
            'VCCLCompilerTool': { 'AdditionalOptions': ['/std:c11', '/experimental:c11atomics'] },
          },
        }],
      ],
    },
    {
      'target_name': 'telar',
      'dependencies': ['telar_core'],
      'sources': ['<!@(<(list_sources) src/binding .cc)'],
      'include_dirs': ['<(node_addon_api)'],
      # A call may fail because its thread is being terminated: then there is
      # nobody left to throw at, and the wrappers must not abort over it.
      'defines': [
        'NAPI_VERSION=8',
        'NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
      ],
      'conditions': [
        # Node unloads a library that only workers had loaded, with every
        # callback and every global that still points into it.
        ['OS=="linux"', { 'ldflags': ['-Wl,-z,nodelete'] }],
        ['OS=="win"', {
          'libraries': ['-lsynchronization'],
          'msvs_settings': {
            'VCCLCompilerTool': { 'AdditionalOptions': ['/std:c++17'] },
          },
        }],
      ],
    },
  ],
}
