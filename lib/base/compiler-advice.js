'use strict'

// What is needed to compile the native library, and how to install it. Shown by `npx telar build`,
// and where the library does not load.
module.exports = `  - a C11 and C++17 compiler and make:
    Debian, Ubuntu: apt-get install build-essential;
    Fedora: dnf install gcc gcc-c++ make; Alpine: apk add build-base;
    macOS: xcode-select --install; Windows: Visual Studio's "Desktop development with C++"
  - Python 3 (for node-gyp)
  - the headers of Node: node-gyp downloads them; without a network, set the environment
    variable npm_config_nodedir to the folder whose include/node holds node_api.h`
