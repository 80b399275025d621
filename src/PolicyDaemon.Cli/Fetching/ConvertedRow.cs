using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>A row of a table after its pins were carried over.</summary>
/// <param name="Row">The row, with the pins that could be.</param>
/// <param name="Problem">Why none could; null where one could, or none needed it.</param>
/// <param name="Warnings">Pins that are lost for Postfix.</param>
/// <param name="Evidence">What was seen, as JSON for the audit log.</param>
internal sealed record ConvertedRow(Destination Row, string? Problem, IReadOnlyList<string> Warnings, string? Evidence);
