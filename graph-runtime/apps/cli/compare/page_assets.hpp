#pragma once
// page.css and page.js, as text in the program.

namespace refrain::cli {

extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace refrain::cli
