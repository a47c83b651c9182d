// The binding: moves programs and jobs between JavaScript and the engine. It knows no op; the only file with napi.h.
#include <napi.h>

#include <set>

#include "engine.h"
#include "file_lock.h"
#include "memory.h"
#include "pool.h"
#include "program.h"

namespace {

using namespace simdnn;

// The pool belongs to the process; the last environment to leave joins its threads, since the addon may be unloaded then.
class SharedPool {
 public:
  static Pool* retain() {
    std::lock_guard lock(mutex_);
    if (users_++ == 0) pool_ = new Pool;
    return pool_;
  }
  static void release() {
    std::lock_guard lock(mutex_);
    if (--users_ > 0) return;
    delete pool_;
    pool_ = nullptr;
  }

 private:
  static inline std::mutex mutex_;
  static inline Pool* pool_ = nullptr;
  static inline int users_ = 0;
};

struct LoadedProgram {
  std::unique_ptr<Program> program;
  Napi::ObjectReference storages;  // keeps the memory alive that the program points into
};

struct JsJob : Job {
  Napi::ObjectReference held;  // the program and the streams' buffers
  Napi::FunctionReference callback;
};

struct Event {
  std::shared_ptr<JsJob> job;
  bool finished;
};

// What one environment (the main thread or a worker) owns.
struct Environment {
  Pool* pool;
  Engine engine;
  napi_threadsafe_function post = nullptr;
  std::set<std::shared_ptr<JsJob>> jobs;
  MemoryShare memory;
  bool closed = false;

  explicit Environment(Pool* pool) : pool(pool), engine(pool, notify, this) {}

  void open() {
    std::lock_guard lock(all_mutex_);
    all_.insert(this);
  }

  static void notify(void* self, std::shared_ptr<Job> job, bool finished) {
    auto* event = new Event{std::static_pointer_cast<JsJob>(job), finished};
    if (napi_call_threadsafe_function(static_cast<Environment*>(self)->post, event, napi_tsfn_nonblocking) != napi_ok) delete event;
  }

  void close() {
    if (closed) return;
    closed = true;
    {
      std::lock_guard lock(all_mutex_);
      all_.erase(this);
    }
    memory.tell({});
    engine.stop();
    for (auto& job : jobs) {
      job->held.Reset();
      job->callback.Reset();
    }
    jobs.clear();
    SharedPool::release();
  }

  // An event without a job: see deliver().
  void ask_others_to_collect() {
    std::lock_guard lock(all_mutex_);
    for (Environment* other : all_)
      if (other != this) notify(other, nullptr, false);
  }

 private:
  static inline std::mutex all_mutex_;
  static inline std::set<Environment*> all_;
};

Environment& environment(const Napi::CallbackInfo& info) { return *static_cast<Environment*>(info.Data()); }

template <class T>
std::span<const T> span(const Napi::Value& value) {
  auto array = value.As<Napi::TypedArrayOf<T>>();
  return {array.Data(), array.ElementLength()};
}

Storage storage(const Napi::Value& value) {
  auto array = value.As<Napi::TypedArray>();
  napi_typedarray_type type;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok)
    throw Napi::TypeError::New(value.Env(), "expected a typed array");
  return {static_cast<uint8_t*>(data), array.ByteLength()};
}

std::vector<Storage> storages(const Napi::Value& value) {
  auto array = value.As<Napi::Array>();
  std::vector<Storage> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(storage(array.Get(i)));
  return result;
}

// From (tensors, instructions, attrs, restored, storages), the first arguments of load and execute.
std::unique_ptr<Program> make_program(const Napi::CallbackInfo& info) {
  auto memory = storages(info[4]);
  try {
    return std::make_unique<Program>(ProgramImage{span<int32_t>(info[0]), span<int32_t>(info[1]), span<double>(info[2]), span<int32_t>(info[3]), memory},
                                     kernel_table(active_isa()));
  } catch (const std::invalid_argument& problem) {
    throw Napi::TypeError::New(info.Env(), problem.what());
  } catch (const NoScratch& problem) {
    auto error = Napi::RangeError::New(info.Env(), "out of memory for the kernels' scratch space");
    error.Set("bytes", static_cast<double>(problem.bytes));
    throw error;
  }
}

// JavaScript's until it is collected. A worker that is being terminated gets none.
template <class T>
Napi::Value external(Napi::Env env, std::unique_ptr<T> owned) {
  auto value = Napi::External<T>::New(env, owned.get(), [](Napi::Env, T* done) { delete done; });
  (void)owned.release();
  return value;
}

LoadedProgram& loaded(const Napi::Value& value) { return *value.As<Napi::External<LoadedProgram>>().Data(); }

Napi::Value describe(Napi::Env env, const Status& status, int32_t tensor) {
  if (status.fault == Fault::none) return env.Null();
  auto fault = Napi::Object::New(env);
  fault["kind"] = status.fault == Fault::non_finite ? "nonFinite" : status.fault == Fault::unfit_update ? "unfitUpdate" : "index";
  fault["instruction"] = status.instruction;
  fault["operand"] = status.operand;
  fault["position"] = static_cast<double>(status.position);
  fault["value"] = status.value;
  fault["tensor"] = tensor;
  return fault;
}

Napi::Value run_here(const Napi::CallbackInfo& info, Program& program, int threads) {
  Pool* pool = environment(info).pool;
  Status status{};
  int32_t tensor = -1;
  if (!program.run(pool, threads, &status)) tensor = program.find_non_finite(status, pool, threads);
  return describe(info.Env(), status, tensor);
}

// describe() → what this build and this machine can do
Napi::Value describe_native(const Napi::CallbackInfo& info) {
  auto env = info.Env();
  auto ops = Napi::Array::New(env);
  for (int op = 0; op < kOpCount; op++) {
    auto entry = Napi::Object::New(env);
    const OpInfo& meaning = op_info(op);
    entry["name"] = meaning.name;
    entry["minOperands"] = meaning.min_in;
    entry["maxOperands"] = meaning.max_in;
    entry["outputs"] = meaning.n_out;
    ops[op] = entry;
  }
  auto isas = Napi::Array::New(env);
  for (int i = 0; i < kIsaCount; i++)
    if (isa_available(static_cast<Isa>(i))) isas[isas.Length()] = isa_name(static_cast<Isa>(i));
  auto result = Napi::Object::New(env);
  result["ops"] = ops;
  result["isa"] = isa_name(active_isa());
  result["isas"] = isas;
  if (isa_error()) result["isaError"] = isa_error();
  return result;
}

// fmaPeak() → GFLOP/s of one core in registers
Napi::Value measure_fma_peak(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), fma_peak(active_isa())); }

// All that nobody in this environment holds, at once. V8 does so when it is told of more memory outside its heap than it would bear.
void collect(Napi::Env env) {
  constexpr int64_t kTooMuch = int64_t{1} << 40;
  Napi::MemoryManagement::AdjustExternalMemory(env, kTooMuch);
  Napi::MemoryManagement::AdjustExternalMemory(env, -kTooMuch);
  trim();
}

// collectGarbage()
void collect_garbage(const Napi::CallbackInfo& info) { collect(info.Env()); }

// collectGarbageElsewhere(): the process's other environments do so when their threads come to it
void collect_garbage_elsewhere(const Napi::CallbackInfo& info) { environment(info).ask_others_to_collect(); }

// tellMemory(arrays, heap) → { arrays, heap }: the process's, now that this environment has so much
Napi::Value tell_memory(const Napi::CallbackInfo& info) {
  auto all = environment(info).memory.tell({info[0].As<Napi::Number>().Int64Value(), info[1].As<Napi::Number>().Int64Value()});
  auto result = Napi::Object::New(info.Env());
  result["arrays"] = static_cast<double>(all.arrays);
  result["heap"] = static_cast<double>(all.heap);
  return result;
}

// memoryLimit(bytes, if it is to be another) → that of the process, which its environments keep to
Napi::Value limit_memory(const Napi::CallbackInfo& info) {
  if (info.Length() > 0) memory_limit = info[0].As<Napi::Number>().DoubleValue();
  return Napi::Number::New(info.Env(), memory_limit);
}

// couldAllocate(bytes, reserve) → whether the system would give so much
Napi::Value probe(const Napi::CallbackInfo& info) {
  auto bytes = info[0].As<Napi::Number>().DoubleValue(), reserve = info[1].As<Napi::Number>().DoubleValue();
  return Napi::Boolean::New(info.Env(), bytes < 0x1p62 && could_allocate(static_cast<size_t>(bytes), static_cast<size_t>(reserve)));
}

// misalignment(buffer) → bytes to skip so that the address is a multiple of 64
Napi::Value misalignment(const Napi::CallbackInfo& info) {
  auto address = reinterpret_cast<uintptr_t>(info[0].As<Napi::ArrayBuffer>().Data());
  return Napi::Number::New(info.Env(), static_cast<double>((64 - address % 64) % 64));
}

// load(tensors, instructions, attrs, restored, storages) → program
Napi::Value load(const Napi::CallbackInfo& info) {
  return external(info.Env(), std::unique_ptr<LoadedProgram>(new LoadedProgram{make_program(info), Napi::Persistent(info[4].As<Napi::Object>())}));
}

// run(program, threads) → fault or null, on this thread
Napi::Value run(const Napi::CallbackInfo& info) { return run_here(info, *loaded(info[0]).program, info[1].As<Napi::Number>()); }

// execute(tensors, instructions, attrs, restored, storages, threads) → fault or null: load and run once
Napi::Value execute(const Napi::CallbackInfo& info) { return run_here(info, *make_program(info), info[5].As<Napi::Number>()); }

std::vector<Stream> streams(const Napi::Value& tensors, const Napi::Value& buffers, const Program& program, int64_t steps) {
  auto numbers = span<int32_t>(tensors);
  auto memory = storages(buffers);
  std::vector<Stream> result;
  for (size_t i = 0; i < numbers.size(); i++) {
    if (numbers[i] < 0 || static_cast<size_t>(numbers[i]) >= program.tensor_count()) throw Napi::TypeError::New(tensors.Env(), "a stream names no tensor");
    size_t stride = view_bytes(program.tensor(numbers[i]));
    if (i >= memory.size() || (stride > 0 && memory[i].bytes / stride < static_cast<size_t>(steps)))
      throw Napi::TypeError::New(tensors.Env(), "a stream's buffer is too small");
    result.push_back({numbers[i], memory[i].data, stride});
  }
  return result;
}

// submit(program, steps, feedTensors, feedBuffers, fetchTensors, fetchBuffers, threads, priority, budget, group, timings or null, callback) → job
// timings: a Float64Array with a number per instruction, which each step's time lowers. callback(stepsDone, finished, fault or null)
Napi::Value submit(const Napi::CallbackInfo& info) {
  auto env = info.Env();
  Environment& here = environment(info);
  auto job = std::make_shared<JsJob>();
  job->program = loaded(info[0]).program.get();
  job->steps = info[1].As<Napi::Number>().Int64Value();
  job->feeds = streams(info[2], info[3], *job->program, job->steps);
  job->fetches = streams(info[4], info[5], *job->program, job->steps);
  job->threads = info[6].As<Napi::Number>();
  job->priority = info[7].As<Napi::Number>();
  job->budget = info[8].As<Napi::Number>();
  job->group = info[9].As<Napi::Number>().Int64Value();
  if (!info[10].IsNull()) {
    auto timings = info[10].As<Napi::Float64Array>();
    if (timings.ElementLength() != job->program->instruction_count()) throw Napi::TypeError::New(env, "timings must hold a number per instruction");
    job->nanoseconds = timings.Data();
  }
  auto held = Napi::Array::New(env, 4);
  held[0u] = info[0];
  held[1u] = info[3];
  held[2u] = info[5];
  held[3u] = info[10];
  job->held = Napi::Persistent(held.As<Napi::Object>());
  job->callback = Napi::Persistent(info[11].As<Napi::Function>());
  here.engine.submit(job);
  if (here.jobs.empty()) napi_ref_threadsafe_function(env, here.post);
  here.jobs.insert(job);
  return external(env, std::make_unique<std::shared_ptr<JsJob>>(job));
}

// cancel(job): it ends before its next step
void cancel(const Napi::CallbackInfo& info) { (*info[0].As<Napi::External<std::shared_ptr<JsJob>>>().Data())->cancelled = true; }

// lockFile(descriptor) → whether the open file is now this opener's alone
Napi::Value lock_file(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), simdnn::lock_file(info[0].As<Napi::Number>())); }

// Runs on the JavaScript thread for every event that the engine or another environment posted; env is null while the environment is torn down.
void deliver(napi_env raw_env, napi_value, void* context, void* data) {
  std::unique_ptr<Event> event(static_cast<Event*>(data));
  auto& here = *static_cast<Environment*>(context);
  if (!raw_env || here.closed) return;
  Napi::Env env(raw_env);
  if (!event->job) return collect(env);
  Napi::HandleScope scope(env);
  JsJob& job = *event->job;
  napi_value arguments[] = {Napi::Number::New(env, static_cast<double>(job.done.load(std::memory_order_acquire))), Napi::Boolean::New(env, event->finished),
                            event->finished ? describe(env, job.status, job.non_finite_tensor) : env.Null()};
  napi_value callback = job.callback.Value();
  if (event->finished) {
    job.callback.Reset();
    job.held.Reset();
    here.jobs.erase(event->job);
    if (here.jobs.empty()) napi_unref_threadsafe_function(env, here.post);
  }
  // lib/native.ts never throws from it; a worker that is being terminated refuses the call, which is fine.
  napi_call_function(env, env.Undefined(), callback, 3, arguments, nullptr);
}

Napi::Object initialize(Napi::Env env, Napi::Object exports) {
  auto* here = new Environment(SharedPool::retain());
  napi_create_threadsafe_function(
      env, nullptr, nullptr, Napi::String::New(env, "simdnn"), 0, 1, here,
      [](napi_env, void* environment, void*) { delete static_cast<Environment*>(environment); }, here, deliver, &here->post);
  napi_unref_threadsafe_function(env, here->post);
  here->open();
  // Hooks run last in, first out: ours joins the engine before the function it posts through goes away.
  env.AddCleanupHook([here] { here->close(); });

  auto define = [&](const char* name, auto function) { exports[name] = Napi::Function::New(env, function, name, here); };
  define("describe", describe_native);
  define("fmaPeak", measure_fma_peak);
  define("collectGarbage", collect_garbage);
  define("collectGarbageElsewhere", collect_garbage_elsewhere);
  define("tellMemory", tell_memory);
  define("memoryLimit", limit_memory);
  define("couldAllocate", probe);
  define("misalignment", misalignment);
  define("load", load);
  define("run", run);
  define("execute", execute);
  define("submit", submit);
  define("cancel", cancel);
  define("lockFile", lock_file);
  return exports;
}

}  // namespace

NODE_API_MODULE(simdnn, initialize)
