-- Sends each annotation, with the CT images that it names, to Hepatica's listener, which stores its
-- report here. Whichever of the two is complete last sends both; the listener makes one report of
-- an annotation, however often it comes. Research use only.

local LISTENER = 'hepatica' -- its name among the DicomModalities
local MAKER = 'Hepatica' -- Manufacturer (0008,0070) of its own reports, which must not go round
local ANNOTATIONS = {SEG = true, RTSTRUCT = true, SR = true}

local function get(path)
  return ParseJson(RestApiGet(path))
end

-- Collect every Referenced SOP Instance UID (0008,1155), however deep it stands.
local function collect(tags, found)
  for name, value in pairs(tags) do
    if type(value) == 'table' then
      collect(value, found)
    elseif name == 'ReferencedSOPInstanceUID' then
      found[value] = true
    end
  end
end

local function is_ct(instance)
  return get('/instances/' .. instance .. '/series')['MainDicomTags']['Modality'] == 'CT'
end

-- Send a series of annotations with those of its CT images that are here.
local function send(series)
  local resources, images = {}, {}
  for _, instance in pairs(series['Instances']) do
    collect(get('/instances/' .. instance .. '/tags?simplify'), images)
  end
  for uid, _ in pairs(images) do
    for _, found in pairs(ParseJson(RestApiPost('/tools/lookup', uid))) do
      if found['Type'] == 'Instance' and is_ct(found['ID']) then
        table.insert(resources, found['ID'])
      end
    end
  end
  if #resources == 0 then
    return -- the images are still to come, and bring it along
  end
  for _, instance in pairs(series['Instances']) do
    table.insert(resources, instance)
  end
  -- As a job: a script that waits would keep Orthanc from taking the report.
  local job = {Resources = resources, Synchronous = false}
  RestApiPost('/modalities/' .. LISTENER .. '/store', DumpJson(job, true))
end

local function is_annotation(tags)
  return ANNOTATIONS[tags['Modality']] and tags['Manufacturer'] ~= MAKER
end

function OnStableSeries(id, tags, _)
  if is_annotation(tags) then
    send(get('/series/' .. id))
  elseif tags['Modality'] == 'CT' then
    for _, other in pairs(get('/series/' .. id .. '/study')['Series']) do
      local series = get('/series/' .. other)
      if is_annotation(series['MainDicomTags']) then
        send(series)
      end
    end
  end
end
