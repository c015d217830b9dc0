// libcuda, libnvrtc and libcublas on the host, as far as ComputeCUDA calls them, so that the whole backend runs without a GPU:
// memory, copies, streams, launches, graphs and kernels. C++, because it is loaded in place of C libraries and runs CUDA C++
// kernels.
//
// It is adversarial within what a GPU may do. Work on a stream runs as late as possible, when it is waited for; so do asynchronous
// copies and products of threads, or at once where threads run in descending order. Memory is filled with NaN and surrounded by
// guards. Threads of a block and blocks of a grid run in a selectable order. A barrier that not all threads reach, and a copy from
// pageable memory or a wait during capture, are errors.
#include "emulated_device.h"
#undef __device__
#undef __global__
#undef threadIdx
#undef blockIdx
#undef blockDim
#undef gridDim
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <dlfcn.h>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>

namespace {

std::recursive_mutex lock;
using Guard = std::lock_guard<std::recursive_mutex>;
enum { success = 0, invalid_value = 1, out_of_memory = 2, no_image = 200, illegal_address = 700, barrier_divergence = 715,
       capture_unsupported = 900, not_found = 500 };
int failure = success;

// MARK: Threads of a block

Emulator emulator_state;
int thread_order = 0;
const size_t guard_bytes = 256;

struct Fiber {
    ucontext_t context;
    void *place[5];
    bool started = false, running = false;
    enum { at_work, at_barrier, at_warp, done } state = done;
    int number = 0;
};
std::vector<std::unique_ptr<Fiber>> fibers;
Fiber *current = nullptr;
void *scheduler[5];
std::function<void()> *body = nullptr;
std::vector<uint32_t> warp_memory;

// The compiler's built-in jumps: libc's take ten times as long, half of the tests' time.
__attribute__((noinline)) void leave() { __builtin_longjmp(scheduler, 1); }
__attribute__((noinline)) void enter(Fiber &fiber) { __builtin_longjmp(fiber.place, 1); }

__attribute__((noinline)) void pause(int state);

void fiber_main() {
    for (;;) {
        (*body)();
        pause(Fiber::done);
    }
}

void pause(int state) {
    current->state = (decltype(Fiber::state))state;
    if (!__builtin_setjmp(current->place)) leave();
}

void set_thread(int number) {
    const auto size = emulator_state.block_size;
    emulator_state.thread = {number % size.x, number / size.x % size.y, number / (size.x * size.y)};
    emulator_state.warp_words = (uint32_t(*)[64])(warp_memory.data() + (size_t)(number / 32) * 32 * 64);
}

__attribute__((noinline)) void resume(Fiber &fiber) {
    current = &fiber;
    set_thread(fiber.number);
    fiber.state = Fiber::at_work;
    if (__builtin_setjmp(scheduler)) return;
    if (fiber.started) enter(fiber);
    fiber.started = true;
    getcontext(&fiber.context);
    const size_t size = 256 << 10;
    fiber.context.uc_stack.ss_sp = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fiber.context.uc_stack.ss_size = size;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, fiber_main, 0);
    setcontext(&fiber.context);
}

// The order in which `count` threads or blocks run.
std::vector<int> turns(int count, unsigned seed) {
    std::vector<int> order(count);
    for (int i = 0; i < count; i++) order[i] = thread_order == 1 ? count - 1 - i : i;
    if (thread_order == 2)
        for (int i = count - 1; i > 0; i--) {
            seed = seed * 1664525u + 1013904223u;
            std::swap(order[i], order[(seed >> 8) % (unsigned)(i + 1)]);
        }
    return order;
}

void run_block(int threads, unsigned seed) {
    while ((int)fibers.size() < threads) fibers.push_back(std::make_unique<Fiber>());
    warp_memory.resize((size_t)(threads + 31) / 32 * 32 * 64);
    const auto order = turns(threads, seed);
    for (int i = 0; i < threads; i++) {
        fibers[i]->number = i;
        fibers[i]->state = Fiber::at_work;
    }
    // A warp runs as far as it can before the next one, so that code which relies on warps running at equal speed fails.
    std::vector<std::vector<int>> warps((threads + 31) / 32);
    std::vector<int> warp_order;
    for (int i : order) {
        if (warps[i / 32].empty()) warp_order.push_back(i / 32);
        warps[i / 32].push_back(i);
    }
    for (;;) {
        int done = 0, at_barrier = 0;
        for (int warp : warp_order) {
            const auto &members = warps[warp];
            for (bool together = true; together;) {
                for (int i : members)
                    if (fibers[i]->state == Fiber::at_work) resume(*fibers[i]);
                for (int i : members) together = together && fibers[i]->state == Fiber::at_warp;
                if (together)
                    for (int i : members) fibers[i]->state = Fiber::at_work;
            }
            for (int i : members) {
                done += fibers[i]->state == Fiber::done;
                at_barrier += fibers[i]->state == Fiber::at_barrier;
            }
        }
        if (done == threads) return;
        if (at_barrier != threads) {
            // Waiting fibers will never finish: new ones replace them.
            failure = barrier_divergence;
            for (int i = 0; i < threads; i++)
                if (fibers[i]->state != Fiber::done) (void)fibers[i].release(), fibers[i] = std::make_unique<Fiber>();
            return;
        }
        for (int i = 0; i < threads; i++) fibers[i]->state = Fiber::at_work;
    }
}

void run_grid(std::function<void()> kernel, EmulatedIndex grid, EmulatedIndex block, size_t shared) {
    // The guard follows directly after the shared memory that a block may use.
    std::vector<uint8_t> memory(shared + 64 + guard_bytes);
    emulator_state.barrier = [] { pause(Fiber::at_barrier); };
    emulator_state.warp_barrier = [] { pause(Fiber::at_warp); };
    emulator_state.is_eager = thread_order == 1;
    emulator_state.block_size = block;
    emulator_state.grid_size = grid;
    emulator_state.shared = (void *)(((uintptr_t)memory.data() + 63) / 64 * 64);
    body = &kernel;
    const int blocks = grid.x * grid.y * grid.z;
    for (int number : turns(blocks, 7)) {
        memset(memory.data(), 0xff, memory.size());
        uint8_t *guard = (uint8_t *)emulator_state.shared + shared;
        memset(guard, 0xa5, guard_bytes);
        emulator_state.block = {number % grid.x, number / grid.x % grid.y, number / (grid.x * grid.y)};
        run_block(block.x * block.y * block.z, (unsigned)number);
        for (size_t i = 0; i < guard_bytes; i++)
            if (guard[i] != 0xa5) failure = illegal_address;
        if (failure) return;
    }
}

// MARK: Memory

struct Allocation {
    size_t bytes;
    bool pinned;
};
std::map<uintptr_t, Allocation> allocations;
size_t used = 0, total_memory = (size_t)4 << 30;
// Largest shared memory that a block may be allowed [bytes].
const int most_shared_memory = 232448;

void *obtain(size_t bytes, bool pinned) {
    uint8_t *raw = (uint8_t *)aligned_alloc(256, (bytes + 2 * guard_bytes + 255) / 256 * 256);
    memset(raw, 0xff, bytes + 2 * guard_bytes);
    memset(raw, 0xa5, guard_bytes);
    memset(raw + guard_bytes + bytes, 0xa5, guard_bytes);
    allocations[(uintptr_t)raw + guard_bytes] = {bytes, pinned};
    return raw + guard_bytes;
}
bool guards_hold(uintptr_t address, const Allocation &of) {
    for (size_t i = 0; i < guard_bytes; i++)
        if (((uint8_t *)address)[-1 - (ptrdiff_t)i] != 0xa5 || ((uint8_t *)address)[of.bytes + i] != 0xa5) return false;
    return true;
}
void check_guards() {
    for (auto &[address, of] : allocations)
        if (!guards_hold(address, of)) failure = illegal_address;
}
// Whether a range of bytes lies inside one allocation.
const Allocation *allocation(uintptr_t address, size_t bytes) {
    auto after = allocations.upper_bound(address);
    if (after == allocations.begin()) return nullptr;
    --after;
    return address + bytes <= after->first + after->second.bytes ? &after->second : nullptr;
}

// MARK: Streams

struct Event {
    long recorded = 0, reached = 0;
    std::chrono::steady_clock::time_point time;
};
struct Graph {
    std::vector<std::function<void()>> work;
};
struct Stream {
    // Work that returns false is not ready yet.
    std::deque<std::function<bool()>> queue;
    Graph *capture = nullptr;
};
std::set<Stream *> streams;
long launches = 0;

int enqueue(Stream *stream, std::function<void()> work) {
    if (stream->capture)
        stream->capture->work.push_back(std::move(work));
    else
        stream->queue.push_back([work] {
            work();
            return true;
        });
    return success;
}
bool advance(Stream *stream) {
    if (stream->queue.empty() || !stream->queue.front()()) return false;
    stream->queue.pop_front();
    return true;
}
// Does work until `is_done`, and of other streams only what is waited for.
void work_until(Stream *stream, const std::function<bool()> &is_done) {
    while (!is_done()) {
        if (stream && advance(stream)) continue;
        bool any = false;
        for (Stream *other : streams)
            if (advance(other)) {
                any = true;
                break;
            }
        if (!any) return;
    }
}
void work_all() {
    work_until(nullptr, [] {
        for (Stream *stream : streams)
            if (!stream->queue.empty()) return false;
        return true;
    });
}
int outcome() {
    check_guards();
    return failure;
}

// MARK: Modules

struct Function {
    void (*launch)(void **);
    int (*sizes)(size_t *);
    // Shared memory that a launch may request; more than the default has to be allowed first.
    unsigned most_shared = 48 << 10;
};
struct LoadedModule {
    void *handle;
    std::map<std::string, std::unique_ptr<Function>> functions;
};
struct Program {
    std::string text, log, code;
};
const char magic[8] = {'S', 'T', 'A', 'N', 'D', 'I', 'N', '1'};

std::string scratch(const char *ending) {
    const char *folder = getenv("TMPDIR");
    std::string path = std::string(folder ? folder : "/tmp") + "/pinn-stand-in-XXXXXX" + ending;
    close(mkstemps(path.data(), (int)strlen(ending)));
    return path;
}
std::string contents(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
}

float rounded(float value, int bits) {
    // Rounding to nearest, ties to even, dropping a number of bits.
    uint32_t word;
    memcpy(&word, &value, 4);
    if ((word & 0x7f800000) != 0x7f800000)
        word += ((1u << (bits - 1)) - 1) + ((word >> bits) & 1), word &= ~((1u << bits) - 1);
    memcpy(&value, &word, 4);
    return value;
}

// op(A) (m, k), column-major, in single precision, rounded as by tensor cores.
std::vector<float> factor(const void *from, int type, int leading, bool transposed, int rows, int columns, int compute) {
    std::vector<float> to((size_t)rows * columns);
    for (int j = 0; j < columns; j++)
        for (int i = 0; i < rows; i++) {
            const size_t place = transposed ? j + (size_t)i * leading : i + (size_t)j * leading;
            float value;
            if (type == 14) {
                const uint32_t word = (uint32_t)((const uint16_t *)from)[place] << 16;
                memcpy(&value, &word, 4);
            } else
                value = ((const float *)from)[place];
            to[(size_t)j * rows + i] = compute == 77 ? rounded(value, 13) : value;
        }
    return to;
}

void product(int ta, int tb, int m, int n, int k, float alpha, const void *a, int at, int lda, const void *b, int bt, int ldb,
             float beta, float *c, int ldc, int compute) {
    const auto left = factor(a, at, lda, ta, m, k, compute), right = factor(b, bt, ldb, tb, k, n, compute);
    std::vector<float> column(m);
    for (int j = 0; j < n; j++) {
        std::fill(column.begin(), column.end(), 0.f);
        for (int l = 0; l < k; l++) {
            const float scale = right[(size_t)j * k + l];
            const float *from = left.data() + (size_t)l * m;
            for (int i = 0; i < m; i++) column[i] += from[i] * scale;
        }
        float *to = c + (size_t)j * ldc;
        for (int i = 0; i < m; i++) to[i] = beta == 0 ? alpha * column[i] : alpha * column[i] + beta * to[i];
    }
}
struct Products {
    Stream *stream = nullptr;
};
size_t element(int type) { return type == 14 ? 2 : 4; }

}  // namespace

extern "C" {

// For the tests: order of threads (0 ascending, 1 descending, 2 shuffled); memory of the GPU [bytes]; kernels and products so far.
void stand_in_set_order(int order) { Guard guard(lock); thread_order = order; }
void stand_in_set_memory(size_t bytes) { Guard guard(lock); total_memory = bytes; }
size_t stand_in_used_memory() { Guard guard(lock); return used; }
long stand_in_launches() { Guard guard(lock); return launches; }

int cuInit(unsigned) { return success; }
int cuDeviceGetCount(int *count) { return *count = 1, success; }
int cuDeviceGet(int *device, int) { return *device = 0, success; }
int cuDeviceGetName(char *name, int length, int) { return snprintf(name, length, "stand-in on the host"), success; }
int cuDeviceGetAttribute(int *value, int attribute, int) {
    *value = attribute == 75 ? 9 : attribute == 76 ? 0 : attribute == 16 ? 2 : attribute == 97 ? most_shared_memory : 0;
    return success;
}
int cuDriverGetVersion(int *version) { return *version = 12040, success; }
int cuDevicePrimaryCtxRetain(void **context, int) { return *context = &emulator_state, success; }
int cuCtxSetCurrent(void *) { return success; }
int cuGetErrorString(int error, const char **text) {
    *text = error == illegal_address ? "an illegal memory access was encountered"
            : error == barrier_divergence ? "not all threads of a block came to a barrier"
            : error == capture_unsupported ? "operation not permitted when stream is capturing"
                                           : "error of the stand-in";
    return success;
}
int cuMemGetInfo_v2(size_t *free, size_t *total) { Guard guard(lock); return *free = total_memory - used, *total = total_memory, success; }
int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    Guard guard(lock);
    if (used + bytes > total_memory) return out_of_memory;
    used += bytes;
    *address = (uint64_t)obtain(bytes, false);
    return success;
}
int cuMemFree_v2(uint64_t address) {
    Guard guard(lock);
    work_all();
    auto place = allocations.find(address);
    if (place == allocations.end()) return invalid_value;
    if (!guards_hold(address, place->second)) failure = illegal_address;
    used -= place->second.bytes;
    allocations.erase(place);
    free((void *)(address - guard_bytes));
    return success;
}
int cuMemHostAlloc(void **address, size_t bytes, unsigned) { Guard guard(lock); return *address = obtain(bytes, true), success; }
int cuMemFreeHost(void *address) {
    Guard guard(lock);
    work_all();
    allocations.erase((uintptr_t)address);
    free((uint8_t *)address - guard_bytes);
    return success;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, Stream *stream) {
    Guard guard(lock);
    if (!allocation(to, bytes)) return invalid_value;
    const Allocation *source = allocation((uintptr_t)from, bytes);
    if (source && source->pinned) return enqueue(stream, [=] { memcpy((void *)to, from, bytes); });
    if (stream->capture) return capture_unsupported;
    // Pageable memory has been read when the call returns.
    auto staged = std::make_shared<std::vector<uint8_t>>((const uint8_t *)from, (const uint8_t *)from + bytes);
    return enqueue(stream, [=] { memcpy((void *)to, staged->data(), bytes); });
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, Stream *stream) {
    Guard guard(lock);
    if (!allocation(from, bytes)) return invalid_value;
    const Allocation *target = allocation((uintptr_t)to, bytes);
    if (target && target->pinned) return enqueue(stream, [=] { memcpy(to, (const void *)from, bytes); });
    if (stream->capture) return capture_unsupported;
    work_until(stream, [=] { return stream->queue.empty(); });
    memcpy(to, (const void *)from, bytes);
    return outcome();
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, Stream *stream) {
    Guard guard(lock);
    if (!allocation(to, bytes) || !allocation(from, bytes)) return invalid_value;
    return enqueue(stream, [=] { memcpy((void *)to, (const void *)from, bytes); });
}
int cuMemsetD32Async(uint64_t address, unsigned value, size_t count, Stream *stream) {
    Guard guard(lock);
    if (!allocation(address, 4 * count)) return invalid_value;
    return enqueue(stream, [=] { std::fill_n((uint32_t *)address, count, value); });
}
int cuStreamCreate(Stream **stream, unsigned) { Guard guard(lock); streams.insert(*stream = new Stream); return success; }
int cuStreamSynchronize(Stream *stream) {
    Guard guard(lock);
    if (stream->capture) return capture_unsupported;
    work_until(stream, [=] { return stream->queue.empty(); });
    return outcome();
}
int cuEventCreate(Event **event, unsigned) { return *event = new Event, success; }
int cuEventDestroy_v2(Event *event) { Guard guard(lock); work_all(); delete event; return success; }
int cuEventRecord(Event *event, Stream *stream) {
    Guard guard(lock);
    const long number = ++event->recorded;
    return enqueue(stream, [=] { event->reached = number, event->time = std::chrono::steady_clock::now(); });
}
int cuEventSynchronize(Event *event) {
    Guard guard(lock);
    work_until(nullptr, [=] { return event->reached >= event->recorded; });
    return outcome();
}
int cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
    Guard guard(lock);
    if (stream->capture) return capture_unsupported;
    const long number = event->recorded;
    stream->queue.push_back([=] { return event->reached >= number; });
    return success;
}
int cuEventElapsedTime(float *milliseconds, Event *from, Event *to) {
    *milliseconds = std::chrono::duration<float, std::milli>(to->time - from->time).count();
    return success;
}
int cuModuleLoadDataEx(LoadedModule **module, const char *image, unsigned, const void *, const void *) {
    Guard guard(lock);
    if (memcmp(image, magic, sizeof magic)) return no_image;
    uint64_t size;
    memcpy(&size, image + 8, 8);
    const std::string path = scratch(".so");
    std::ofstream(path, std::ios::binary).write(image + 16, (std::streamsize)size);
    void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    unlink(path.c_str());
    if (!handle) return no_image;
    ((void (*)(Emulator *))dlsym(handle, "emulator_connect"))(&emulator_state);
    *module = new LoadedModule{handle, {}};
    return success;
}
int cuModuleUnload(LoadedModule *module) {
    Guard guard(lock);
    work_all();
    dlclose(module->handle);
    delete module;
    return success;
}
int cuModuleGetFunction(Function **function, LoadedModule *module, const char *name) {
    Guard guard(lock);
    auto launch = (void (*)(void **))dlsym(module->handle, (std::string("emulated_launch_") + name).c_str());
    auto sizes = (int (*)(size_t *))dlsym(module->handle, (std::string("emulated_sizes_") + name).c_str());
    if (!launch || !sizes) return not_found;
    auto &known = module->functions[name];
    known = std::make_unique<Function>(Function{launch, sizes});
    *function = known.get();
    return success;
}
int cuFuncSetAttribute(Function *function, int attribute, int value) {
    if (attribute != 8 || value > most_shared_memory) return invalid_value;
    return function->most_shared = (unsigned)value, success;
}
int cuLaunchKernel(Function *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   Stream *stream, void **parameters, void **) {
    Guard guard(lock);
    if (!gx || !gy || !bx || !by || bx * by * bz > 1024 || gy > 65535 || shared > function->most_shared) return invalid_value;
    size_t sizes[64];
    const int count = function->sizes(sizes);
    auto values = std::make_shared<std::vector<std::vector<uint64_t>>>();
    for (int i = 0; i < count; i++) {
        values->emplace_back((sizes[i] + 7) / 8);
        memcpy(values->back().data(), parameters[i], sizes[i]);
    }
    const EmulatedIndex grid{(int)gx, (int)gy, (int)gz}, block{(int)bx, (int)by, (int)bz};
    return enqueue(stream, [=] {
        launches++;
        std::vector<void *> addresses;
        for (auto &value : *values) addresses.push_back(value.data());
        if (!failure) run_grid([&] { function->launch(addresses.data()); }, grid, block, shared);
    });
}
int cuStreamBeginCapture_v2(Stream *stream, int) { Guard guard(lock); return stream->capture = new Graph, success; }
int cuStreamEndCapture(Stream *stream, Graph **graph) {
    Guard guard(lock);
    *graph = stream->capture;
    stream->capture = nullptr;
    return success;
}
int cuGraphInstantiateWithFlags(Graph **executable, Graph *graph, unsigned long long) { return *executable = new Graph(*graph), success; }
int cuGraphLaunch(Graph *executable, Stream *stream) {
    Guard guard(lock);
    for (auto &work : executable->work) enqueue(stream, work);
    return success;
}
int cuGraphDestroy(Graph *graph) { delete graph; return success; }
int cuGraphExecDestroy(Graph *executable) { Guard guard(lock); work_all(); delete executable; return success; }

int nvrtcVersion(int *major, int *minor) { return *major = 12, *minor = 0, 0; }
int nvrtcGetNumSupportedArchs(int *count) { return *count = 2, 0; }
int nvrtcGetSupportedArchs(int *known) { return known[0] = 80, known[1] = 90, 0; }
int nvrtcCreateProgram(Program **program, const char *text, const char *, int, const void *, const void *) {
    *program = new Program{text, "", ""};
    return 0;
}
int nvrtcDestroyProgram(Program **program) { return delete *program, 0; }
int nvrtcCompileProgram(Program *program, int count, const char *const *options) {
    const std::string source = scratch(".cpp"), library = scratch(".so"), log = scratch(".log");
    {
        std::ofstream file(source);
        file << "#include \"" << STAND_IN_HEADER << "\"\n" << program->text << "\n";
        const std::regex kernel("extern \"C\" __global__ void\\s+(?:__launch_bounds__\\([^)]*\\)\\s+)?(\\w+)\\s*\\(");
        for (auto at = std::sregex_iterator(program->text.begin(), program->text.end(), kernel); at != std::sregex_iterator(); ++at) {
            const std::string name = (*at)[1];
            file << "extern \"C\" void emulated_launch_" << name << "(void **a) { emulated_launch(" << name << ", a); }\n"
                 << "extern \"C\" int emulated_sizes_" << name << "(size_t *s) { return emulated_sizes(" << name << ", s); }\n";
        }
    }
    std::string command = std::string(STAND_IN_COMPILER) + " -std=c++17 -O1 -fPIC -shared -w -ffp-contract=off";
    for (int i = 0; i < count; i++) {
        const std::string option = options[i], macro = "--define-macro=";
        if (option.rfind(macro, 0) == 0) command += " -D" + option.substr(macro.size());
    }
    command += " -o " + library + " " + source + " >" + log + " 2>&1";
    const int status = system(command.c_str());
    program->log = contents(log);
    const std::string code = contents(library);
    for (auto &path : {source, library, log}) unlink(path.c_str());
    if (status) return 6;
    const uint64_t size = code.size();
    program->code = std::string(magic, 8) + std::string((const char *)&size, 8) + code;
    return 0;
}
int nvrtcGetProgramLogSize(Program *program, size_t *size) { return *size = program->log.size() + 1, 0; }
int nvrtcGetProgramLog(Program *program, char *log) { return memcpy(log, program->log.c_str(), program->log.size() + 1), 0; }
int nvrtcGetCUBINSize(Program *program, size_t *size) { return *size = program->code.size(), 0; }
int nvrtcGetCUBIN(Program *program, char *code) { return memcpy(code, program->code.data(), program->code.size()), 0; }
int nvrtcGetPTXSize(Program *program, size_t *size) { return nvrtcGetCUBINSize(program, size); }
int nvrtcGetPTX(Program *program, char *code) { return nvrtcGetCUBIN(program, code); }

int cublasCreate_v2(Products **products) { return *products = new Products, 0; }
int cublasDestroy_v2(Products *products) { Guard guard(lock); work_all(); delete products; return 0; }
int cublasSetStream_v2(Products *products, Stream *stream) { return products->stream = stream, 0; }
int cublasSetWorkspace_v2(Products *, void *, size_t) { return 0; }
int cublasGetVersion_v2(Products *, int *version) { return *version = 120000, 0; }
int cublasGemmEx(Products *products, int ta, int tb, int m, int n, int k, const float *alpha, const void *a, int at, int lda,
                 const void *b, int bt, int ldb, const float *beta, float *c, int, int ldc, int compute, int) {
    Guard guard(lock);
    const float scale = *alpha, keep = *beta;
    return enqueue(products->stream, [=] {
        launches++;
        product(ta, tb, m, n, k, scale, a, at, lda, b, bt, ldb, keep, c, ldc, compute);
    });
}
int cublasGemmStridedBatchedEx(Products *products, int ta, int tb, int m, int n, int k, const float *alpha, const void *a, int at,
                               int lda, long long as, const void *b, int bt, int ldb, long long bs, const float *beta, float *c, int,
                               int ldc, long long cs, int count, int compute, int) {
    Guard guard(lock);
    const float scale = *alpha, keep = *beta;
    return enqueue(products->stream, [=] {
        launches++;
        for (int i = 0; i < count; i++)
            product(ta, tb, m, n, k, scale, (const char *)a + i * as * (long long)element(at), at, lda,
                    (const char *)b + i * bs * (long long)element(bt), bt, ldb, keep, c + i * cs, ldc, compute);
    });
}
}
