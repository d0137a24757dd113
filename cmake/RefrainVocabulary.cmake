# The vocabulary of the CLIP tokenizer and its notice, in share/refrain of the build tree and of an installation. The
# set-up fetches it (cmake/setup.sh); it is never part of this repository.
set(REFRAIN_CLIP_VOCABULARY "${PROJECT_SOURCE_DIR}/.cache/clip/bpe_simple_vocab_16e6.txt.gz" CACHE FILEPATH
    "bpe_simple_vocab_16e6.txt.gz of OpenAI's CLIP")
set(REFRAIN_CLIP_NOTICE "${PROJECT_SOURCE_DIR}/.cache/clip/LICENSE.open_clip" CACHE FILEPATH
    "The notice that goes along with the vocabulary")

set(REFRAIN_VOCABULARY_FILES)
if(EXISTS "${REFRAIN_CLIP_VOCABULARY}")
  foreach(file IN ITEMS "${REFRAIN_CLIP_VOCABULARY}" "${REFRAIN_CLIP_NOTICE}")
    if(EXISTS "${file}")
      file(COPY "${file}" DESTINATION "${CMAKE_BINARY_DIR}/share/refrain")
      list(APPEND REFRAIN_VOCABULARY_FILES "${file}")
    endif()
  endforeach()
else()
  message(WARNING "The CLIP vocabulary is not at ${REFRAIN_CLIP_VOCABULARY}: prompts can't be encoded.\n"
    "Run 'make setup', then configure again; or name it with -DREFRAIN_CLIP_VOCABULARY=<file>.")
endif()
