import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { BagImageSource } from './BagImageSource.js';
import { FolderImageSource, hasImageSuffix } from './FolderImageSource.js';
import type { ImageSource, ImageSourceOptions } from './ImageSource.js';
import { hasBagSuffix, openBag } from './openBag.js';
import { fileError } from './openFile.js';
import { ProblemCount } from './ProblemCount.js';

async function isImageFolder(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  return !names.includes('metadata.yaml') && !names.some(hasBagSuffix);
}

/**
 * Opens whatever holds images: a bag file (mcap, sqlite3), a bag folder, a folder of images, or one image file.
 * Throws FILE_MISSING, FILE_UNREADABLE, BAG_INVALID, FOLDER_INVALID, TOPIC_MISSING or POSES_INVALID; a bag without images
 * throws BAG_NO_IMAGES when it is iterated (its summary and poses can still be read).
 */
export async function openImageSource(file: string, options: ImageSourceOptions = {}): Promise<ImageSource> {
  const problems = new ProblemCount(options.onProblem);
  let isImages: boolean;
  try {
    const stats = await stat(file);
    if (!stats.isDirectory() && hasImageSuffix(file))
      return await FolderImageSource.open(path.dirname(file), options, problems, [path.basename(file)]);
    isImages = stats.isDirectory() && (await isImageFolder(file));
  } catch (error) {
    throw error instanceof Error && error.name === 'VprError' ? error : fileError(error, file, 'a bag or image folder');
  }
  if (isImages) return FolderImageSource.open(file, options, problems);
  const files = await openBag(file, problems.add);
  try {
    return new BagImageSource(file, files, options, problems);
  } catch (error) {
    for (const open of files) await open.close();
    throw error;
  }
}
