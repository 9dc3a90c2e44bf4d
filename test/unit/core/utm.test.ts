import { expect } from 'chai';
import { utmFrameOf, utmFromGeodetic, utmZoneOf, type UtmPoint } from '../../../src/core/utm.js';

// From PROJ (pyproj 3.7.2), EPSG:326zz north and 327zz south; the last two are projected into a neighbouring zone.
const POINTS = [
  [48.0, 11.0, 32, 649187.87496, 5318235.61388],
  [40.4406, -79.9959, 17, 585156.96231, 4477145.41998],
  [-33.8688, 151.2093, 56, 334368.63365, 6250948.34539],
  [0.0, 3.0, 31, 500000.0, 0.0],
  [-0.0001, -179.9, 1, 177163.80596, 9999988.93273],
  [83.9, 179.9, 60, 534390.83127, 9317795.75333],
  [48.0, 5.9, 32, 268765.63279, 5320951.12194],
  [60.0, -3.01, 31, 165084.09278, 6666644.24542],
] as const;

describe('utmFromGeodetic', () => {
  for (const [latitude, longitude, zone, eastingM, northingM] of POINTS)
    it(`equals PROJ at ${latitude}, ${longitude} in zone ${zone} to a millimetre`, () => {
      const point = utmFromGeodetic(latitude, longitude, { zone, isSouthern: latitude < 0 });
      expect(point.eastingM).to.be.closeTo(eastingM, 1e-3);
      expect(point.northingM).to.be.closeTo(northingM, 1e-3);
    });

  it('does not jump where a drive that keeps its frame crosses the equator', () => {
    for (const start of [-0.00001, 0.00001]) {
      const frame = utmFrameOf(start, 32.5);
      const [from, to] = [start, -start].map((latitude) => utmFromGeodetic(latitude, 32.5, frame)) as [
        UtmPoint,
        UtmPoint,
      ];
      expect(Math.abs(to.northingM - from.northingM)).to.be.closeTo(2.21, 0.01);
    }
  });

  it('finds the zone of a longitude', () => {
    expect([-180, -79.9959, 0, 5.999, 6, 180].map(utmZoneOf)).to.deep.equal([1, 17, 31, 31, 32, 60]);
  });
});
