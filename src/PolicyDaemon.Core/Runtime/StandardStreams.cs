using System.Text;
using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Standard input, output and error of a program whose caller may have left them closed, broken or full.</summary>
public static class StandardStreams
{
    /// <summary>The descriptor of standard output.</summary>
    public const int Output = 1;

    /// <summary>The descriptor of standard error.</summary>
    public const int Error = 2;

    private const int LastDescriptor = 2;

    // A handle that is collected is closed; these live as long as the process.
    private static readonly List<SafeFileHandle> Held = [];

    /// <summary>Writes to standard output or error, for several threads, each text at once.</summary>
    public static TextWriter Writer(int descriptor) => TextWriter.Synchronized(
        new StreamWriter(DescriptorStream.Standard(descriptor), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true });

    /// <summary>Puts /dev/null in the place of each stream that is closed; call it before anything else is opened.</summary>
    /// <remarks>
    /// The next file or socket would get the number of the closed stream otherwise, and receive what is written to that. It is open for reading
    /// only, so that writing to a closed stream stays the error that it is.
    /// </remarks>
    public static void Secure()
    {
        try
        {
            while (true)
            {
                // open(2): the lowest number that is free.
                var handle = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                if (handle.DangerousGetHandle() > LastDescriptor)
                {
                    handle.Dispose();
                    return;
                }

                Held.Add(handle);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // No /dev: then a program is started as carefully as it was put there.
        }
    }
}
