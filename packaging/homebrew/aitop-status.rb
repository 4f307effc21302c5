# Untested: written without a machine that has Homebrew. `brew install --HEAD packaging/homebrew/aitop-status.rb`
class AitopStatus < Formula
  desc "What AI coding costs while it happens: tmux, prompt, SwiftBar, Claude Code"
  license "MIT"
  # The checkout this file lies in, with what is committed there.
  head "file://#{File.expand_path("../..", __dir__)}", using: :git, branch: "main"

  depends_on "python@3.13"

  def install
    python = Formula["python@3.13"].opt_bin/"python3.13"
    system python, "-m", "venv", libexec
    system libexec/"bin/pip", "install", "-c", "dev.lock", ".[top,otel]"
    # The command finds `aitop-py` beside the file that the link names.
    bin.install_symlink libexec/"bin/aitop"
  end

  test do
    ENV["AITOP_HOME"] = testpath/"aitop"
    assert_match "aitop", shell_output("#{bin}/aitop version")
    assert_equal "[]", shell_output("#{bin}/aitop report models --json").strip
  end
end
