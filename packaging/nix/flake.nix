# Untested: written without a machine that has Nix. `nix build ./packaging/nix`
{
  description = "What AI coding costs while it happens";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      systems = [ "x86_64-linux" "aarch64-linux" "x86_64-darwin" "aarch64-darwin" ];
      each = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      versions = builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../../aitop/__init__.py);
    in
    {
      packages = each (pkgs: {
        default = pkgs.python3Packages.buildPythonApplication {
          pname = "aitop-status";
          version = builtins.head versions;
          pyproject = true;
          src = ../..;
          build-system = [ pkgs.python3Packages.hatchling ];
          dependencies = with pkgs.python3Packages; [ click filelock orjson textual h11 ];
          # Nix wraps both programs: a display starts one shell more than elsewhere.
          doCheck = false; # the tests drive real programs; CI runs them
          pythonImportsCheck = [ "aitop" ];
          meta = {
            license = pkgs.lib.licenses.mit;
            mainProgram = "aitop";
            platforms = pkgs.lib.platforms.unix;
          };
        };
      });
    };
}
