"""llama.cpp's C interface, as the xllamacpp wheel carries it in its shared object.

Declared here is only what one pass over many short texts needs. Layouts change from build to build,
so everything holds for one version of the wheel alone; with any other, `load_library` refuses.
"""

import importlib
import importlib.metadata
from typing import Any

from scenarios.ratings.records import RatingError

VERSION = "2026.10.11549"
"""The version of xllamacpp that the declarations below describe."""

# From llama.h as llama.cpp had it at that build. The layouts were compared with the declarations
# of llama-cpp-py-sync 0.11548 (MIT), which reads the same header one build before.
_DECLARATIONS = """
typedef int32_t llama_pos;
typedef int32_t llama_token;
typedef int32_t llama_seq_id;

struct llama_model_params {
    void * devices;
    const void * tensor_buft_overrides;
    int32_t n_gpu_layers;
    int32_t split_mode;
    int32_t load_mode;
    int32_t lazy_mode;
    int32_t main_gpu;
    const float * tensor_split;
    void * progress_callback;
    void * progress_callback_user_data;
    const void * kv_overrides;
    bool vocab_only;
    bool check_tensors;
    bool use_extra_bufts;
    bool no_host;
    bool no_alloc;
    bool load_mtp;
};

struct llama_context_params {
    uint32_t n_ctx;
    uint32_t n_batch;
    uint32_t n_ubatch;
    uint32_t n_seq_max;
    uint32_t n_rs_seq;
    uint32_t n_outputs_max;
    uint32_t n_outputs_max_per_seq;
    int32_t n_threads;
    int32_t n_threads_batch;
    int32_t ctx_type;
    int32_t rope_scaling_type;
    int32_t pooling_type;
    int32_t attention_type;
    int32_t flash_attn_type;
    float rope_freq_base;
    float rope_freq_scale;
    float yarn_ext_factor;
    float yarn_attn_factor;
    float yarn_beta_fast;
    float yarn_beta_slow;
    uint32_t yarn_orig_ctx;
    float defrag_thold;
    void * cb_eval;
    void * cb_eval_user_data;
    int32_t type_k;
    int32_t type_v;
    size_t moe_cache_size;
    void * abort_callback;
    void * abort_callback_data;
    bool embeddings;
    bool offload_kqv;
    bool no_perf;
    bool op_offload;
    bool swa_full;
    bool kv_unified;
    void * samplers;
    size_t n_samplers;
    void * ctx_other;
};

struct llama_batch {
    int32_t n_tokens;
    llama_token * token;
    float * embd;
    llama_pos * pos;
    int32_t * n_seq_id;
    llama_seq_id ** seq_id;
    int8_t * logits;
};

struct llama_chat_message {
    const char * role;
    const char * content;
};

typedef void (*ggml_log_callback)(int32_t level, const char * text, void * user_data);

void llama_log_set(ggml_log_callback log_callback, void * user_data);
void llama_backend_init(void);
struct llama_model_params llama_model_default_params(void);
struct llama_context_params llama_context_default_params(void);
void * llama_model_load_from_file(const char * path, struct llama_model_params params);
void llama_model_free(void * model);
void * llama_init_from_model(void * model, struct llama_context_params params);
void llama_free(void * context);
const void * llama_model_get_vocab(const void * model);
const char * llama_model_chat_template(const void * model, const char * name);
int32_t llama_vocab_n_tokens(const void * vocab);
int32_t llama_tokenize(const void * vocab, const char * text, int32_t text_len,
    llama_token * tokens, int32_t n_tokens_max, bool add_special, bool parse_special);
int32_t llama_chat_apply_template(const char * tmpl, const struct llama_chat_message * chat,
    size_t n_msg, bool add_ass, char * buf, int32_t length);
void * llama_get_memory(const void * context);
void llama_memory_clear(void * memory, bool data);
bool llama_memory_seq_rm(void * memory, llama_seq_id seq_id, llama_pos p0, llama_pos p1);
void llama_memory_seq_cp(void * memory, llama_seq_id from, llama_seq_id to, llama_pos p0,
    llama_pos p1);
struct llama_batch llama_batch_init(int32_t n_tokens, int32_t embd, int32_t n_seq_max);
void llama_batch_free(struct llama_batch batch);
int32_t llama_decode(void * context, struct llama_batch batch);
float * llama_get_logits_ith(void * context, int32_t i);
"""

_KNOWN_DEFAULTS = {"n_batch": 2048, "n_ubatch": 512, "n_seq_max": 1}
"""What llama.cpp gives before anything is set; read wrongly if a layout is."""


class LibraryError(RatingError):
    """llama.cpp cannot be called in this process; its server may still do."""


class Library:
    """The functions, and what it takes to call them. One for each process."""

    def __init__(self, ffi: Any, functions: Any) -> None:  # noqa: ANN401
        self.ffi = ffi
        self.functions = functions
        self.said: list[str] = []
        """Warnings and errors of llama.cpp, kept back for our own sentences."""
        self._hear = ffi.callback("ggml_log_callback", self._keep)
        functions.llama_log_set(self._hear, ffi.NULL)
        functions.llama_backend_init()

    def last_said(self) -> str:
        """What llama.cpp said last of what went wrong, then forget it."""
        said = " ".join("".join(self.said).split())[-300:]
        self.said.clear()
        return said or "llama.cpp does not say why"

    def _keep(self, level: int, text: Any, _: object) -> None:  # noqa: ANN401
        warning, error = 3, 4
        if level in (warning, error):
            self.said.append(self.ffi.string(text).decode(errors="replace"))
            del self.said[:-20]


_loaded: list[Library] = []


def load_library() -> Library:
    """Make llama.cpp callable; its logging is silent from then on.

    Raises:
        RatingError: If xllamacpp or cffi is not installed.
        LibraryError: If it is another version than the declarations are for.
    """
    if not _loaded:
        _loaded.append(_load())
    return _loaded[0]


def import_xllamacpp() -> Any:  # noqa: ANN401
    """The xllamacpp package.

    Raises:
        RatingError: If it is not installed.
    """
    try:
        return importlib.import_module("xllamacpp")
    except ImportError as error:
        raise RatingError(
            "the local language model needs a package more: pip install 'nomaly[llama]'"
        ) from error


def _load() -> Library:
    package = import_xllamacpp()
    version = importlib.metadata.version("xllamacpp")
    if version != VERSION:
        raise LibraryError(
            f"xllamacpp {version} is installed and {VERSION} is needed to call it directly: pip "
            f"install xllamacpp=={VERSION}"
        )
    try:
        ffi = importlib.import_module("cffi").FFI()
        ffi.cdef(_DECLARATIONS)
        functions = ffi.dlopen(package.xllamacpp.__file__)
    except (ImportError, OSError) as error:
        raise LibraryError(f"llama.cpp cannot be called directly: {error}") from error
    defaults = functions.llama_context_default_params()
    found = {name: getattr(defaults, name) for name in _KNOWN_DEFAULTS}
    if found != _KNOWN_DEFAULTS:
        raise LibraryError(
            f"this build of xllamacpp is not the known one: its defaults are {found}"
        )
    return Library(ffi, functions)
