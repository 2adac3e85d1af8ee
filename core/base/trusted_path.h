#pragma once

#include <string>

namespace rec {

// The canonical path of a file with code to run in this process, or as this user. DENIED if anybody else could have put
// that code there: the file and every folder above must belong to root, to this user or to the owner of this library,
// and must not be writable by everybody, but for sticky folders such as /tmp.
std::string trusted_path(const std::string& path);

}  // namespace rec
