#pragma once

namespace rec {

// Runs a worker process over the socket that it was started with. Returns when the host has gone.
void serve_host(int socket);

}  // namespace rec
