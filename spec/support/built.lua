-- Programs that `make specs` builds beside the modules.

--- The path of a program in the build tree that the modules are from, and that tree.
return function(program)
  for tree in package.cpath:gmatch "([^;]+)/%?%.so" do
    local path = tree .. "/" .. program
    local file = io.open(path)
    if file then
      file:close()
      return path, tree
    end
  end
  error(("no %s in the build tree: `make specs` builds it"):format(program))
end
