using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A log that grows while it is read.</summary>
public sealed class LogFile(string path)
{
    private readonly List<string> _lines = [];
    private long _read;

    /// <summary>All whole lines written so far.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            if (!File.Exists(path)) return _lines;
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            file.Position = _read;
            // Whole bytes up to the last line feed, so that no UTF-8 sequence is cut.
            var bytes = new byte[file.Length - _read];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var whole = bytes.AsSpan(0, length).LastIndexOf((byte)'\n') + 1;
            _read += whole;
            if (whole > 0) _lines.AddRange(Encoding.UTF8.GetString(bytes, 0, whole - 1).Split('\n'));
            return _lines;
        }
    }

    /// <summary>The last lines, for the message of a failure.</summary>
    public string Tail => string.Join('\n', Lines.TakeLast(40));

    public bool Contains(string text) => Lines.Any(line => line.Contains(text, StringComparison.Ordinal));
}
