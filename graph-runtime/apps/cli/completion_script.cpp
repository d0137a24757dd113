#include "completion_script.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string_view>
#include <vector>

namespace refrain::cli {
namespace {

/// What may follow an option, or stand for a positional.
enum class Takes { nothing, anything, file, folder, node, policy, word };

struct CompletedOption {
  std::vector<std::string> names;  ///< "--models", "-q"; none: a positional
  std::string help;                ///< its first line
  Takes takes = Takes::nothing;
  std::string words;  ///< separated by spaces, for Takes::word
};

struct CompletedCommand {
  std::string name;
  std::string help;
  std::vector<CompletedOption> options;
};

struct TypeMeaning {
  std::string_view type_name;
  Takes takes;
  std::string_view words;
};
constexpr TypeMeaning kTypes[] = {
    {"FILE", Takes::file, ""},
    {"PATH", Takes::file, ""},
    {"FOLDER", Takes::folder, ""},
    {"NODE", Takes::node, ""},
    {"TYPE:INPUT=VALUE,...", Takes::policy, ""},
    {"DEVICE", Takes::word, "cpu cuda"},
    {"TYPE", Takes::word, "auto fp32 bf16 fp16"},
    {"SHELL", Takes::word, "bash zsh fish"},
};

CompletedOption completed(const CLI::Option& option) {
  CompletedOption result;
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  result.help = option.get_description().substr(0, option.get_description().find('\n'));
  const bool flag = option.get_items_expected_max() == 0;
  if (flag) return result;
  result.takes = Takes::anything;
  for (const TypeMeaning& type : kTypes) {
    if (option.get_type_name() == type.type_name) {
      result.takes = type.takes;
      result.words = type.words;
    }
  }
  return result;
}

std::vector<CompletedCommand> commands_of(const CLI::App& app) {
  std::vector<CompletedCommand> commands;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    CompletedCommand result{command->get_name(), command->get_description(), {}};
    for (const CLI::Option* option : command->get_options()) result.options.push_back(completed(*option));
    commands.push_back(std::move(result));
  }
  return commands;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

/// What bash runs for the words that may come.
std::string bash_reply(const CompletedOption& option) {
  switch (option.takes) {
    case Takes::file: return "COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Takes::folder: return "COMPREPLY=($(compgen -d -- \"$cur\"))";
    case Takes::node: return "COMPREPLY=($(compgen -W \"$(refrain completion nodes 2>/dev/null)\" -- \"$cur\"))";
    case Takes::policy: return "COMPREPLY=($(compgen -W \"$(refrain completion policies 2>/dev/null)\" -- \"$cur\"))";
    case Takes::word: return fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"))", option.words);
    case Takes::anything:
    case Takes::nothing: return ":";
  }
  return ":";
}

std::string bash_command(const CompletedCommand& command) {
  std::string names, values, positional = ":";
  for (const CompletedOption& option : command.options) {
    if (option.names.empty()) {
      positional = bash_reply(option);
      continue;
    }
    names += (names.empty() ? "" : " ") + joined(option.names, " ");
    if (option.takes != Takes::nothing) {
      values += fmt::format("        {}) {}; return ;;\n", joined(option.names, "|"), bash_reply(option));
    }
  }
  std::string text = fmt::format("    {})\n", command.name);
  if (!values.empty()) text += fmt::format("      case \"$prev\" in\n{}      esac\n", values);
  return text + fmt::format(
                    "      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")); return; fi\n"
                    "      {} ;;\n",
                    names, positional);
}

std::string bash_script(const std::vector<CompletedCommand>& commands) {
  std::string names, cases;
  for (const CompletedCommand& command : commands) {
    names += (names.empty() ? "" : " ") + command.name;
    cases += bash_command(command);
  }
  return fmt::format(
      "# bash completion for refrain; made by refrain completion bash\n"
      "_refrain() {{\n"
      "  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}  esac\n"
      "}}\n"
      "complete -o filenames -F _refrain refrain\n",
      names, cases);
}

/// Text inside single quotes of a shell; zsh's specs want colons and brackets escaped too.
std::string in_quotes(std::string_view text, std::string_view escape = "") {
  std::string result;
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      if (escape.find(c) != escape.npos) result += '\\';
      result += c;
    }
  }
  return result;
}

std::string zsh_action(const CompletedOption& option) {
  switch (option.takes) {
    case Takes::file: return "_files";
    case Takes::folder: return "_files -/";
    case Takes::node: return "_refrain_nodes";
    case Takes::policy: return "_refrain_policies";
    case Takes::word: return fmt::format("({})", option.words);
    case Takes::anything:
    case Takes::nothing: return " ";
  }
  return " ";
}

std::string zsh_command(const CompletedCommand& command) {
  std::string text = fmt::format("    {})\n      _arguments \\\n", command.name);
  for (const CompletedOption& option : command.options) {
    const std::string help = in_quotes(option.help, ":[]\\");
    for (const std::string& name : option.names) {
      const std::string value = option.takes == Takes::nothing ? "" : fmt::format(":value:{}", zsh_action(option));
      text += fmt::format("        '*{}[{}]{}' \\\n", name, help, value);
    }
    if (option.names.empty()) text += fmt::format("        '*:{}:{}' \\\n", help, zsh_action(option));
  }
  return text + "        && return ;;\n";
}

std::string zsh_script(const std::vector<CompletedCommand>& commands) {
  std::string names, cases;
  for (const CompletedCommand& command : commands) {
    names += fmt::format("    '{}:{}'\n", command.name, in_quotes(command.help, ":\\"));
    cases += zsh_command(command);
  }
  return fmt::format(
      "#compdef refrain\n# zsh completion for refrain; made by refrain completion zsh\n"
      "_refrain_nodes() {{ compadd -- ${{(f)\"$(refrain completion nodes 2>/dev/null)\"}} }}\n"
      "_refrain_policies() {{ compadd -S '' -- ${{(f)\"$(refrain completion policies 2>/dev/null)\"}} }}\n"
      "_refrain() {{\n"
      "  local -a commands\n  commands=(\n{}  )\n"
      "  if ((CURRENT == 2)); then\n    _describe command commands\n    return\n  fi\n"
      "  local command=${{words[2]}}\n"
      "  shift words\n  ((CURRENT--))\n"
      "  case $command in\n{}  esac\n"
      "}}\n"
      "if [[ $funcstack[1] == _refrain ]]; then _refrain \"$@\"; else compdef _refrain refrain; fi\n",
      names, cases);
}

std::string fish_argument(const CompletedOption& option) {
  switch (option.takes) {
    case Takes::file: return " -r -F";
    case Takes::folder: return " -x -a '(__fish_complete_directories)'";
    case Takes::node: return " -x -a '(refrain completion nodes 2>/dev/null)'";
    case Takes::policy: return " -x -a '(refrain completion policies 2>/dev/null)'";
    case Takes::word: return fmt::format(" -x -a '{}'", option.words);
    case Takes::anything: return " -x";
    case Takes::nothing: return " -f";
  }
  return {};
}

std::string fish_script(const std::vector<CompletedCommand>& commands) {
  std::string text = "# fish completion for refrain; made by refrain completion fish\ncomplete -c refrain -f\n";
  for (const CompletedCommand& command : commands) {
    text += fmt::format("complete -c refrain -n __fish_use_subcommand -a {} -d '{}'\n", command.name,
                        in_quotes(command.help));
  }
  for (const CompletedCommand& command : commands) {
    for (const CompletedOption& option : command.options) {
      text += fmt::format("complete -c refrain -n '__fish_seen_subcommand_from {}'", command.name);
      for (const std::string& name : option.names) {
        text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      }
      text += fish_argument(option);
      if (!option.names.empty()) text += fmt::format(" -d '{}'", in_quotes(option.help));
      text += "\n";
    }
  }
  return text;
}

}  // namespace

std::string completion_script(const CLI::App& app, const std::string& shell) {
  const std::vector<CompletedCommand> commands = commands_of(app);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  return bash_script(commands);
}

}  // namespace refrain::cli
