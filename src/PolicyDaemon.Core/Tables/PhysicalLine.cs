namespace PolicyDaemon.Core.Tables;

/// <summary>One line of a file as it stands there, decoded.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Text">Without its line feed; no-break spaces are blanks here.</param>
/// <param name="Fault">Why it cannot be read, or null.</param>
/// <param name="HadNoBreakSpace">Whether a no-break space was read as a blank.</param>
/// <param name="HadByteOrderMark">Whether a byte order mark was dropped.</param>
internal readonly record struct PhysicalLine(int Number, string Text, string? Fault, bool HadNoBreakSpace, bool HadByteOrderMark);
