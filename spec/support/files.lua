-- Whole files, and folders for them.

local files = {}

function files.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function files.write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

--- A new folder, with this in its name: whoever asks for it takes it away.
function files.new_folder(name)
  local pipe <close> = assert(io.popen(("mktemp -d /tmp/steadysocket-%s.XXXXXX"):format(name)))
  return assert(pipe:read "l", "mktemp failed")
end

return files
