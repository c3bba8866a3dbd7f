// Preloaded into the server: counts allocations. Nothing imports it.
#include <atomic>
#include <cstddef>

static std::atomic<std::size_t> allocations{0};

extern "C" std::size_t eta_allocations() { return allocations.load(); }
